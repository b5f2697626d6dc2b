/**
 * What a client connects to, in one word or two.
 *
 * @module
 */
import { about, quote, UsageError } from "../options/usage_error.ts";
import type { Address } from "../socket/address.ts";
import { PLACE, readPeer } from "../socket/place.ts";

/** The forms that a target has. */
const TARGETS = `HOST PORT, ${PLACE.expects}`;

/** Reads the target of a client: `HOST PORT`, `HOST:PORT`, `[HOST]:PORT`, `tcp://HOST:PORT` or `unix:PATH`. */
export function readTarget(words: readonly string[]): Address {
  const [first, second, ...more] = words;
  if (first === undefined) throw new UsageError(`nothing to connect to: expected ${TARGETS}`);
  if (more.length > 0) {
    throw new UsageError(`${quote(more[0]!)} is one word too many: expected HOST PORT`);
  }
  try {
    if (second === undefined) return readWord(first);
    return readPeer({ host: first.replace(/^\[(.*)\]$/, "$1"), port: second });
  } catch (error) {
    throw about(quote(first), error);
  }
}

function readWord(word: string): Address {
  const place = PLACE.read(word);
  if (place === undefined) throw new UsageError(`expected ${TARGETS}`);
  return place;
}
