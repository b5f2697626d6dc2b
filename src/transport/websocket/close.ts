/**
 * The end of a WebSocket: close codes (RFC 6455, section 7.4).
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { printable } from "../../terminal/printable.ts";

/** The codes that outlet sends. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  invalidText: 1007,
  tooBig: 1009,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1000, "normal"],
  [1001, "going away"],
  [1002, "protocol error"],
  [1003, "unsupported data"],
  [1007, "invalid UTF-8"],
  [1008, "policy violation"],
  [1009, "message too big"],
  [1010, "extension missing"],
  [1011, "internal error"],
  [1012, "service restart"],
  [1013, "try again later"],
  [1014, "bad gateway"],
]);

/** Codes of an end that is no failure. */
const ORDERLY: readonly (number | undefined)[] = [undefined, 1000, 1001];

/** The content of a close frame. */
export interface CloseFrame {
  /** The code; `undefined` if the frame is empty. */
  readonly code: number | undefined;
  /** The reason; often empty. */
  readonly reason: string;
}

/** The payload of a close frame. The reason must be short. */
export function closePayload({ code, reason }: CloseFrame): Uint8Array {
  if (code === undefined) return new Uint8Array(0);
  return Uint8Array.of(code >> 8, code & 0xff, ...new TextEncoder().encode(reason));
}

/** The content of a close frame, or the code of what is wrong with it. */
export function readClose(payload: Uint8Array): CloseFrame | { readonly fault: number } {
  if (payload.length === 0) return { code: undefined, reason: "" };
  const code = payload[0]! << 8 | payload[1]!;
  if (payload.length === 1 || !isCode(code)) return { fault: CLOSE.protocolError };
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) return { fault: CLOSE.invalidText };
  return { code, reason: new TextDecoder().decode(reason) };
}

/** Whether a code may be on the wire: 1005, 1006 and 1015 must not, 3000 to 4999 are for applications. */
function isCode(code: number): boolean {
  return NAMES.has(code) || (code >= 3000 && code <= 4999);
}

/** Whether the end is no failure. */
export function isOrderly({ code }: CloseFrame): boolean {
  return ORDERLY.includes(code);
}

/** The close frame as text: `1011 internal error: out of memory`. */
export function formatClose({ code, reason }: CloseFrame): string {
  if (code === undefined) return "without a code";
  const name = NAMES.get(code);
  const text = name === undefined ? String(code) : `${code} ${name}`;
  return reason === "" ? text : `${text}: ${printable(reason)}`;
}
