/**
 * Transports of SPECs, as words: a carrier, and the layers over it.
 *
 * @module
 */
import { quote, UsageError } from "../options/usage_error.ts";

/** What is listened on, and what is spoken over it. */
export interface Transport {
  /** The kind of socket. */
  readonly carrier: "tcp" | "udp" | "unix";
  /** The layers over it, which are also options of an outlet. */
  readonly layers: readonly ("tls" | "ws")[];
}

/** Why there is no TLS over UDP. */
export const TLS_OVER_UDP = "TLS over UDP (DTLS) is not supported";

/** Why there is no WebSocket over UDP. */
export const WEBSOCKET_OVER_UDP = "WebSocket needs a stream, and UDP has datagrams";

/** The words: carriers and layers. */
const WORDS = {
  tcp: { carrier: "tcp", layers: [] },
  udp: { carrier: "udp", layers: [] },
  unix: { carrier: "unix", layers: [] },
  tls: { layers: ["tls"] },
  ws: { layers: ["ws"] },
  wss: { layers: ["tls", "ws"] },
} as const satisfies Readonly<Record<string, Partial<Transport>>>;

/**
 * Parses the transport of a SPEC: `tcp`, `udp`, `unix`, `tls`, `ws`, `wss`, or layers and a carrier joined
 * by `+`, such as `ws+unix`.
 */
export function parseTransport(text: string): Transport {
  const words = text.split("+").map((word) => {
    if (!Object.hasOwn(WORDS, word)) {
      throw new UsageError(
        `unknown transport ${quote(word)}: expected one of ${Object.keys(WORDS).join(", ")}`,
      );
    }
    return WORDS[word as keyof typeof WORDS];
  });
  const carriers = words.flatMap((word) => "carrier" in word ? [word.carrier] : []);
  const layers = words.flatMap((word) => word.layers);
  const fault = carriers.includes("udp") ? faultOverUdp(layers) : undefined;
  if (fault !== undefined) throw new UsageError(`transport ${quote(text)}: ${fault}`);
  const isInOrder = words.every((word, at) => !("carrier" in word) || at === words.length - 1);
  if (!isInOrder || new Set(layers).size < layers.length) {
    throw new UsageError(
      `transport ${quote(text)}: expected each layer once, then the carrier, such as ws+unix`,
    );
  }
  return { carrier: carriers[0] ?? "tcp", layers };
}

/** Why a layer cannot be over UDP; `undefined` without layers. */
function faultOverUdp(layers: Transport["layers"]): string | undefined {
  if (layers.includes("ws")) return WEBSOCKET_OVER_UDP;
  return layers.includes("tls") ? TLS_OVER_UDP : undefined;
}
