/**
 * What somebody at the console sends: read from a request, and written between other writes.
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

/** The most bytes that may wait for one peer to take them. */
const WAITING = 256 * 1024;

/** How long whoever sends waits for the peer, in milliseconds. */
const PATIENCE = 1_000;

/** `{"text": "hello\n"}`, or `{"hex": "68 65 6c 6c 6f 0a"}`. */
export const SENDING: Schema<SendRequest> = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ hex: z.string() }),
], { error: 'expected {"text": "…"} or {"hex": "…"}' });

/** What is to be sent. */
export type SendRequest = { readonly text: string } | { readonly hex: string };

/** The bytes that are meant. */
export function readSendRequest(sending: SendRequest): Uint8Array {
  if ("text" in sending) return new TextEncoder().encode(sending.text);
  const digits = sending.hex.replace(/\s+/g, "");
  if (/^([0-9a-f]{2})*$/i.test(digits)) {
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  }
  throw new HttpError(400, "hex: expected pairs of hex digits", { field: "hex" });
}

/** Sends to peers without letting more than a little wait for those who do not read. */
export class Sender {
  readonly #waiting = new WeakMap<LiveConnection, number>();

  /**
   * Sends between the other writes. A peer that does not read is not waited for.
   *
   * @returns how many bytes will go out, and whether they have yet
   * @throws {HttpError} where too much waits for the peer already, or where it is gone
   */
  async send(
    connection: LiveConnection,
    bytes: Uint8Array,
  ): Promise<{ sent: number; gone: boolean }> {
    const waiting = this.#waiting.get(connection) ?? 0;
    if (waiting + bytes.length > WAITING) {
      throw new HttpError(409, `the peer does not read: ${waiting} bytes wait for it already`);
    }
    this.#waiting.set(connection, waiting + bytes.length);
    const sending = connection.write(bytes)
      .catch((error) => {
        throw new HttpError(409, `could not be sent: ${connection.reason ?? explain(error)}`);
      })
      .finally(() => this.#waiting.set(connection, this.#waiting.get(connection)! - bytes.length));
    // Where it fails after that, there is nobody to be told.
    handledElsewhere(sending);
    const patience = new AbortController();
    const late = delay(PATIENCE, { signal: patience.signal }).then(() => false, () => false);
    const gone = await Promise.race([sending.then(() => true), late])
      .finally(() => patience.abort());
    return { sent: bytes.length, gone };
  }
}
