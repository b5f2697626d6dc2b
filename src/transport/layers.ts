/**
 * The table of layers over a carrier or over each other, the innermost first.
 * `tests/transport/contract_test.ts` runs over all of them.
 *
 * @module
 */
import { sequence, type Stage } from "./stage.ts";
import type { StartTlsProtocol } from "./starttls/protocols.ts";
import type { TlsServer } from "./tls/accept.ts";
import type { TlsClientOptions, TlsSession } from "./tls/connect.ts";
import type { WebSocketServer } from "./websocket/accept.ts";
import type { WebSocketClientOptions, WebSocketSession } from "./websocket/connect.ts";

/** What a layer has negotiated. */
export type LayerStep =
  /** The server has let TLS begin; its greeting, if it has one, is not sent again. */
  | {
    readonly step: "starttls";
    readonly protocol: StartTlsProtocol;
    readonly greeting: Uint8Array | undefined;
  }
  /** TLS was negotiated. */
  | { readonly step: "secured"; readonly session: TlsSession }
  /** The WebSocket is open. */
  | { readonly step: "upgraded"; readonly upgrade: WebSocketSession };

/** What the layers of a client report. */
export interface LayerProgress {
  /** Called with what does not come if the time is over: `no response to the TLS handshake`. */
  awaits(missing: string): void;
  /** Called when something was negotiated. */
  agreed(step: LayerStep): void;
}

/** A layer, for clients and for servers. Each part is imported on first use. */
export interface Layer<Client, Server> {
  /** The client's stage. */
  connect(options: Client, progress: LayerProgress): Stage;
  /** The server's stage. */
  accept(options: Server): Stage;
}

/** TLS (RFC 8446). */
const tls: Layer<TlsClientOptions, TlsServer> = {
  connect: (options, progress) => async (stream) => {
    const { starttls: protocol } = options;
    if (protocol) {
      const { startTls } = await import("./starttls/start_tls.ts");
      const { serverName } = options;
      const greeting = await startTls(stream, { protocol, serverName, awaits: progress.awaits });
      progress.agreed({ step: "starttls", protocol, greeting });
    }
    progress.awaits("no response to the TLS handshake");
    const { connectTls } = await import("./tls/connect.ts");
    const { socket, session } = await connectTls(stream, options);
    progress.agreed({ step: "secured", session });
    return socket;
  },
  accept: (server) => async (stream, context) => {
    const { tlsStage } = await import("./tls/accept.ts");
    return await tlsStage(server)(stream, context);
  },
};

/** WebSocket (RFC 6455). */
const ws: Layer<WebSocketClientOptions, WebSocketServer> = {
  connect: (options, { awaits, agreed }) => async (stream) => {
    awaits("no response to the WebSocket handshake");
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

/** The stages of a client with these layers, in order. */
export function connectStages(layers: ClientLayers, progress: LayerProgress): Stage[] {
  return namesOf(layers).map((name) =>
    (LAYERS[name] as Layer<unknown, unknown>).connect(layers[name], progress)
  );
}

function namesOf(layers: ClientLayers | ServerLayers): (keyof LayerTable)[] {
  return (Object.keys(LAYERS) as (keyof LayerTable)[]).filter((name) => layers[name] !== undefined);
}
