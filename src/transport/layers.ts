/**
 * The table of layers over a carrier or over each other, the innermost first.
 * `tests/transport/contract_test.ts` runs over all of them.
 *
 * @module
 */
import { sequence, type Stage } from "./stage.ts";
import type { TlsServer } from "./tls/accept.ts";
import type { TlsClientOptions, TlsSession } from "./tls/connect.ts";
import type { WebSocketServer } from "./websocket/accept.ts";
import type { WebSocketClientOptions, WebSocketSession } from "./websocket/connect.ts";

/** What a layer has negotiated. */
export type LayerStep =
  /** TLS was negotiated. */
  | { readonly step: "secured"; readonly session: TlsSession }
  /** The WebSocket is open. */
  | { readonly step: "upgraded"; readonly upgrade: WebSocketSession };

/** A layer, for clients and for servers. Each part is imported on first use. */
export interface Layer<Client, Server> {
  /** The reply that a client waits for, in errors. */
  readonly answer: string;
  /** The client's stage. */
  connect(options: Client, agreed: (step: LayerStep) => void): Stage;
  /** The server's stage. */
  accept(options: Server): Stage;
}

/** TLS (RFC 8446). */
const tls: Layer<TlsClientOptions, TlsServer> = {
  answer: "the TLS handshake",
  connect: (options, agreed) => async (stream) => {
    const { connectTls } = await import("./tls/connect.ts");
    const { socket, session } = await connectTls(stream, options);
    agreed({ step: "secured", session });
    return socket;
  },
  accept: (server) => async (stream, context) => {
    const { tlsStage } = await import("./tls/accept.ts");
    return await tlsStage(server)(stream, context);
  },
};

/** WebSocket (RFC 6455). */
const ws: Layer<WebSocketClientOptions, WebSocketServer> = {
  answer: "the WebSocket handshake",
  connect: (options, agreed) => async (stream) => {
    const { connectWebSocket } = await import("./websocket/connect.ts");
    const { socket, session } = await connectWebSocket(stream, options);
    agreed({ step: "upgraded", upgrade: session });
    return socket;
  },
  accept: (server) => {
    let stage: Promise<Stage> | undefined;
    return async (stream, context) => {
      stage ??= import("./websocket/accept.ts").then(({ websocketStage }) =>
        websocketStage(server)
      );
      return await (await stage)(stream, context);
    };
  },
};

/** The layers by name. */
export const LAYERS = { tls, ws };

/** The type of {@linkcode LAYERS}. */
export type LayerTable = typeof LAYERS;

/** The options of each layer for a client. */
export type ClientLayers = {
  readonly [Name in keyof LayerTable]?: Parameters<LayerTable[Name]["connect"]>[0] | undefined;
};

/** The options of each layer for a server. */
export type ServerLayers = {
  readonly [Name in keyof LayerTable]?: Parameters<LayerTable[Name]["accept"]>[0] | undefined;
};

/** The stages of a server with these layers; `undefined` without any. */
export function acceptStage(layers: ServerLayers = {}): Stage | undefined {
  return sequence(
    namesOf(layers).map((name) => (LAYERS[name] as Layer<unknown, unknown>).accept(layers[name])),
  );
}

/** The stages of a client with these layers, each with the reply it waits for. */
export function connectStages(
  layers: ClientLayers,
  agreed: (step: LayerStep) => void,
): { readonly stage: Stage; readonly answer: string }[] {
  return namesOf(layers).map((name) => {
    const layer = LAYERS[name] as Layer<unknown, unknown>;
    return { stage: layer.connect(layers[name], agreed), answer: layer.answer };
  });
}

function namesOf(layers: ClientLayers | ServerLayers): (keyof LayerTable)[] {
  return (Object.keys(LAYERS) as (keyof LayerTable)[]).filter((name) => layers[name] !== undefined);
}
