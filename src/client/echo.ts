/**
 * Checks echoed bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { printable } from "../terminal/printable.ts";

/** The most bytes of an answer in an error. */
const MAX_SHOWN = 60;

/** The service answered with something other than an echo. */
export class NoEcho extends Error {
  /** Takes the answer. */
  constructor(answer: Uint8Array) {
    const text = printable(new TextDecoder().decode(answer.subarray(0, MAX_SHOWN)));
    const more = answer.length > MAX_SHOWN ? "…" : "";
    super(`sent no echo: it answered ${JSON.stringify(text)}${more}`);
  }
}

/** A message that a service does not send by chance: the alphabet, repeated. */
export function echoMessage(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => 0x61 + at % 26);
}

/** Whether the bytes are the start of what was sent. */
export function isEcho(bytes: Uint8Array, sent: Uint8Array): boolean {
  return bytes.length <= sent.length && Buffer.compare(bytes, sent.subarray(0, bytes.length)) === 0;
}
