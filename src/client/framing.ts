/**
 * Cuts a stream of bytes into datagrams.
 *
 * @module
 */
import type { Framing } from "../config/datagram_client_options.ts";
import { LONGEST_DATAGRAM } from "../transport/datagram_carrier.ts";

const NEWLINE = 0x0a;

/**
 * The datagrams of the input: one for each line with its newline, for each chunk as it is read, or
 * for each number of bytes. What is longer than a datagram can be becomes several.
 */
export async function* framed(
  input: AsyncIterable<Uint8Array>,
  framing: Framing,
): AsyncGenerator<Uint8Array> {
  if (framing === "read") {
    for await (const chunk of input) yield* parts(chunk, LONGEST_DATAGRAM);
    return;
  }
  const size = framing === "line" ? LONGEST_DATAGRAM : framing;
  const buffer = new Uint8Array(size);
  let length = 0;
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length;) {
      const end = endOf(chunk, { at, most: size - length, framing });
      buffer.set(chunk.subarray(at, end), length);
      length += end - at;
      at = end;
      if (length < size && (framing !== "line" || chunk[at - 1] !== NEWLINE)) continue;
      yield buffer.subarray(0, length);
      length = 0;
    }
  }
  if (length > 0) yield buffer.subarray(0, length);
}

/** Where the part of a chunk ends that still belongs to the datagram. */
function endOf(
  chunk: Uint8Array,
  { at, most, framing }: { at: number; most: number; framing: Framing },
): number {
  const end = Math.min(chunk.length, at + most);
  if (framing !== "line") return end;
  const newline = chunk.subarray(at, end).indexOf(NEWLINE);
  return newline === -1 ? end : at + newline + 1;
}

function* parts(chunk: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
}
