/**
 * The target of a client, in one or two arguments.
 *
 * @module
 */
import { quote, UsageError, withSubject } from "../options/usage_error.ts";
import type { Address } from "./address.ts";
import { ENDPOINT, parseEndpoint } from "./parse.ts";

const TARGETS =
  "HOST PORT, HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT or unix:PATH";

/** A parsed target. */
export interface Target {
  /** The address, or one address for each port of a list. */
  readonly targets: readonly [Address, ...Address[]];
  /** Whether the scheme is `tls://`. */
  readonly tls: boolean;
}

/** Parses the target of a client. A port in an argument of its own may be a list: `20-25,80`. */
export function parseTarget(words: readonly string[]): Target {
  const [first, second, ...more] = words;
  if (first === undefined) throw new UsageError(`nothing to connect to: expected ${TARGETS}`);
  if (more.length > 0) {
    throw new UsageError(`unexpected argument ${quote(more[0]!)}: expected HOST PORT`);
  }
  try {
    if (second === undefined) return readWord(first);
    return { targets: readPorts(first.replace(/^\[(.*)\]$/, "$1"), second), tls: false };
  } catch (error) {
    throw withSubject(quote(first), error);
  }
}

function readWord(word: string): Target {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(word) ?? [];
  if (scheme !== undefined && !/^(tcp|tls|udp)$/i.test(scheme)) {
    throw new UsageError(
      `unknown scheme ${quote(scheme)}: expected tcp://, tls://, udp:// or unix:`,
    );
  }
  const tls = scheme?.toLowerCase() === "tls";
  const place = ENDPOINT.parse(tls ? word.slice("tls://".length) : word);
  if (place === undefined) throw new UsageError(`expected ${TARGETS}`);
  return { targets: [place], tls };
}

/** The ports of a list in order, without duplicates. */
function readPorts(host: string, list: string): Target["targets"] {
  const ports = new Set(list.split(",").flatMap((part) => readRange(host, part)));
  const [first, ...others] = [...ports].map((port) => ({ hostname: host, port }));
  return [first!, ...others];
}

function readRange(host: string, part: string): number[] {
  const [, from = part, to = from] = /^(\d+)-(\d+)$/.exec(part) ?? [];
  const [{ port: low }, { port: high }] = [from, to].map((port) =>
    parseEndpoint({ host, port })
  ) as [
    ReturnType<typeof parseEndpoint>,
    ReturnType<typeof parseEndpoint>,
  ];
  if (high < low) throw new UsageError(`port "${part}": the range runs backwards`);
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}
