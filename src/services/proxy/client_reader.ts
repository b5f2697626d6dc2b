/**
 * Reads the request of a proxy's client: exactly, with a time limit, and nothing after it.
 *
 * @module
 */
import type { Connection } from "../../connection/connection.ts";
import { formatDuration } from "../../options/quantity.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { HeadError, HeadReader, type HttpHead } from "../../transport/http_head.ts";
import { Refusal } from "./refusal.ts";

const tasks = new TaskScope("the time limit of a request", {
  consequence: "the request has no time limit",
});

/** The time limit of a request in milliseconds; checking a password does not count. */
const REQUEST_TIMEOUT = 10_000;

const NOTHING = new Uint8Array(0);

/** Reads from a client. Disposing it ends the time limit. */
export class ClientReader implements Disposable {
  readonly #client: Connection;
  #chunk: Uint8Array = NOTHING;
  #isBegun = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts the time limit. */
  constructor(client: Connection) {
    this.#client = client;
    this.#startTimer();
  }

  /** Whether anything was received. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Reads one byte. */
  async byte(): Promise<number> {
    if (this.#chunk.length === 0) await this.#fill();
    const byte = this.#chunk[0]!;
    this.#chunk = this.#chunk.subarray(1);
    return byte;
  }

  /** Reads exactly this many bytes. */
  async bytes(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (this.#chunk.length === 0) await this.#fill();
      const part = this.#chunk.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    return bytes;
  }

  /** Reads to a zero byte, which is not returned; at most `limit` bytes. */
  async toZero(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes: number[] = [];
    for (let byte = await this.byte(); byte !== 0; byte = await this.byte()) {
      if (bytes.length === limit) throw new Refusal("malformed", `a field of over ${limit} bytes`);
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }

  /** Reads the head of an HTTP request that starts with this byte. */
  async head(first: number): Promise<HttpHead> {
    const reader = new HeadReader("request");
    try {
      let found = reader.push(Uint8Array.of(first));
      while (!found) {
        if (this.#chunk.length === 0) await this.#fill();
        found = reader.push(this.#chunk);
        this.#chunk = found?.rest ?? NOTHING;
      }
      return found.head;
    } catch (error) {
      if (error instanceof HeadError) throw new Refusal("malformed", error.message);
      throw error;
    }
  }

  /** Sends an answer that belongs to the handshake. */
  async answer(...bytes: number[]): Promise<void> {
    await this.#client.write(Uint8Array.from(bytes));
  }

  /** Runs a check that is no matter of the client, so it does not count for its time limit. */
  async pause<T>(check: () => Promise<T>): Promise<T> {
    this[Symbol.dispose]();
    try {
      return await check();
    } finally {
      this.#startTimer();
    }
  }

  /** Gives back what was received after the request: it is for the target. */
  giveBack(): void {
    if (this.#chunk.length > 0) this.#client.unread(this.#chunk.slice());
    this.#chunk = NOTHING;
  }

  async #fill(): Promise<void> {
    const chunk = await this.#client.read();
    if (chunk === null) throw new Refusal("malformed", "ended before a complete request");
    this.#isBegun = true;
    this.#chunk = chunk;
  }

  #startTimer(): void {
    const reason = `refused: no complete request in ${formatDuration(REQUEST_TIMEOUT)}` as const;
    this.#timer = setTimeout(tasks.guard(() => this.#client.close(reason)), REQUEST_TIMEOUT);
  }

  /** Ends the time limit. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
