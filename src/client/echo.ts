/**
 * Whether what comes back is what was sent.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { printable } from "../terminal/printable.ts";

/** How much of an answer an error shows, in bytes. */
const SHOWN = 60;

/** The service answered, but not with what was sent. */
export class NoEcho extends Error {
  /** What it answered instead. */
  constructor(answer: Uint8Array) {
    const text = printable(new TextDecoder().decode(answer.subarray(0, SHOWN)));
    super(`gave no echo: it answered ${JSON.stringify(text)}${answer.length > SHOWN ? "…" : ""}`);
  }
}

/** A message that no service sends by chance: the alphabet over and over. */
export function echoMessage(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => 0x61 + at % 26);
}

/** Whether the bytes are the next ones of what was sent. */
export function isEcho(bytes: Uint8Array, sent: Uint8Array): boolean {
  return bytes.length <= sent.length && Buffer.compare(bytes, sent.subarray(0, bytes.length)) === 0;
}
