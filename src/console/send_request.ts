/**
 * Parses and sends data that the console's user types.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { z } from "zod";
import type { LiveConnection } from "../server/handle.ts";
import { explain } from "../transport/errors.ts";
import { HttpError } from "./http_error.ts";
import type { Schema } from "./request.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";

/** The maximum number of bytes that may be queued for one peer. */
const MAX_QUEUED = 256 * 1024;

/** How long a request waits for its data to be sent, in milliseconds. */
const TIMEOUT = 1_000;

/** The schema: `{"text": "hello\n"}`, or `{"hex": "68 65 6c 6c 6f 0a"}`. */
export const SENDING: Schema<SendRequest> = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ hex: z.string() }),
], { error: 'expected {"text": "…"} or {"hex": "…"}' });

/** The data to send. */
export type SendRequest = { readonly text: string } | { readonly hex: string };

/** The bytes to send. */
export function readSendRequest(request: SendRequest): Uint8Array {
  if ("text" in request) return new TextEncoder().encode(request.text);
  const digits = request.hex.replace(/\s+/g, "");
  if (/^([0-9a-f]{2})*$/i.test(digits)) {
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  }
  throw new HttpError(400, "hex: expected pairs of hex digits", { field: "hex" });
}

/** Sends data with a limit for peers that do not read. */
export class Sender {
  readonly #queued = new WeakMap<LiveConnection, number>();

  /**
   * Sends data between the handler's writes. It does not wait long for a peer that does not read.
   * @returns the number of bytes, and whether all of them are sent
   * @throws {HttpError} if too much is queued for the peer, or the connection is closed
   */
  async send(
    connection: LiveConnection,
    bytes: Uint8Array,
  ): Promise<{ sent: number; flushed: boolean }> {
    const queued = this.#queued.get(connection) ?? 0;
    if (queued + bytes.length > MAX_QUEUED) {
      throw new HttpError(409, `the peer does not read: ${queued} bytes are queued for it`);
    }
    this.#queued.set(connection, queued + bytes.length);
    const writing = connection.write(bytes)
      .catch((error) => {
        throw new HttpError(409, `cannot send: ${connection.reason ?? explain(error)}`);
      })
      .finally(() => this.#queued.set(connection, this.#queued.get(connection)! - bytes.length));
    // The response has been sent by then, so later errors are ignored.
    handledElsewhere(writing);
    const timeout = new AbortController();
    const late = delay(TIMEOUT, { signal: timeout.signal }).then(() => false, () => false);
    const flushed = await Promise.race([writing.then(() => true), late])
      .finally(() => timeout.abort());
    return { sent: bytes.length, flushed };
  }
}
