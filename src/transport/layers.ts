/**
 * The layers that can be spoken over any carrier, or over each other, in the order in which they stand: the first is
 * next to the carrier. `tests/transport/contract_test.ts` tests each of them by its being here.
 *
 * @module
 */
import { sequence, type Stage } from "./stage.ts";
import type { TlsServer } from "./tls/accept.ts";
import type { TlsClientOptions, TlsSession } from "./tls/connect.ts";

/** What the two ends of a layer have agreed on, for whoever tells it. */
export interface LayerStep {
  /** That it is TLS that was agreed on. */
  readonly step: "secured";
  /** What was agreed. */
  readonly session: TlsSession;
}

/** A layer: what a client does, and what a server does. Neither is loaded before it is needed. */
export interface Layer<Client, Server> {
  /** What a client waits for, as an error calls it. */
  readonly answer: string;
  /** As a client. */
  connect(options: Client, agreed: (step: LayerStep) => void): Stage;
  /** As a server. */
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

/** Each layer by its name. */
export const LAYERS = { tls };

/** The layers and their options. */
export type LayerTable = typeof LAYERS;

/** What a client asks of each layer. */
export type ClientLayers = {
  readonly [Name in keyof LayerTable]?: Parameters<LayerTable[Name]["connect"]>[0] | undefined;
};

/** What a server has for each layer. */
export type ServerLayers = {
  readonly [Name in keyof LayerTable]?: Parameters<LayerTable[Name]["accept"]>[0] | undefined;
};

/** What clients of a server with these layers go through. */
export function acceptStage(layers: ServerLayers = {}): Stage | undefined {
  return sequence(
    namesOf(layers).map((name) => (LAYERS[name] as Layer<unknown, unknown>).accept(layers[name])),
  );
}

/** What a client with these layers goes through, with what it waits for at each. */
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
