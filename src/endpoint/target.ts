/**
 * The target of a client, in one or two arguments.
 *
 * @module
 */
import { quote, UsageError, withSubject } from "../options/usage_error.ts";
import type { Address } from "./address.ts";
import { parseEndpoint } from "./parse.ts";
import { readPorts } from "./ports.ts";
import { REMOTE } from "./remote.ts";

const TARGETS = `HOST PORT, ${REMOTE.expects}`;

/** A parsed target. */
export interface Target {
  /** The address, or one address for each port of a list. */
  readonly targets: readonly [Address, ...Address[]];
  /** Whether the scheme asks for TLS. */
  readonly tls: boolean;
  /** The request target, if the scheme asks for a WebSocket. */
  readonly ws?: string | undefined;
}

/** Parses the target of a client. A port in an argument of its own may be a list: `20-25,80`. */
export function parseTarget(args: readonly string[]): Target {
  const [first, second, ...more] = args;
  if (first === undefined) throw new UsageError(`nothing to connect to: expected ${TARGETS}`);
  if (more.length > 0) {
    throw new UsageError(`unexpected argument ${quote(more[0]!)}: expected HOST PORT`);
  }
  try {
    if (second === undefined) return readWord(first);
    return { targets: targetsOf(first.replace(/^\[(.*)\]$/, "$1"), second), tls: false };
  } catch (error) {
    throw withSubject(quote(first), error);
  }
}

function readWord(word: string): Target {
  const remote = REMOTE.parse(word);
  if (remote === undefined) throw new UsageError(`expected ${TARGETS}`);
  return { targets: [remote.address], tls: remote.tls, ws: remote.ws };
}

/** The ports of a list in order, without duplicates. */
function targetsOf(host: string, list: string): Target["targets"] {
  const ports = new Set(readPorts(list));
  const [first, ...others] = [...ports].map((port) => parseEndpoint({ host, port: String(port) }));
  return [first!, ...others];
}
