/**
 * A socket while TLS is agreed on it. Node's TLS closes its carrier as soon as a handshake has failed, before the
 * alert that says so; here the socket stays until that is sent.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import type { ByteStream } from "../stream.ts";

/** The first bytes that are kept: the longest record. */
const KEPT = 5 + 16 * 1024;

/** How long a client has to take the alert and to close, in milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/** Passes everything on, remembers how the client began, and closes only once the handshake is over. */
export class HandshakeStream implements ByteStream {
  /** Our end. */
  readonly localAddr: Deno.Addr;
  /** The client's end. */
  readonly remoteAddr: Deno.Addr;
  readonly #socket: ByteStream;
  #received: Uint8Array | undefined = new Uint8Array();
  #hasWritten = false;
  #isOver = false;

  /** Takes the socket over. */
  constructor(socket: ByteStream) {
    this.#socket = socket;
    this.localAddr = socket.localAddr;
    this.remoteAddr = socket.remoteAddr;
  }

  /** What the client sent first. */
  get received(): Uint8Array {
    return this.#received ?? new Uint8Array();
  }

  /** What `Deno.Conn.read` promises. */
  async read(into: Uint8Array): Promise<number | null> {
    const length = await this.#socket.read(into);
    if (this.#received && length !== null && this.#received.length < KEPT) {
      this.#received = Uint8Array.of(...this.#received, ...into.subarray(0, length));
    }
    return length;
  }

  /** What `Deno.Conn.write` promises. */
  write(bytes: Uint8Array): Promise<number> {
    this.#hasWritten = true;
    return this.#socket.write(bytes);
  }

  /** Ends our half. */
  closeWrite(): Promise<void> {
    return this.#socket.closeWrite();
  }

  /** Lets small writes leave at once. */
  setNoDelay(on?: boolean): void {
    this.#socket.setNoDelay(on);
  }

  /** Lets the kernel probe a silent peer. */
  setKeepAlive(on?: boolean): void {
    this.#socket.setKeepAlive(on);
  }

  /** Closes, once the handshake is over. */
  close(): void {
    if (this.#isOver) this.#socket.close();
  }

  /** The handshake is done: it is a socket like any other. */
  handOver(): void {
    this.#received = undefined;
    this.#isOver = true;
  }

  /**
   * The handshake has failed: sends the alert, unless we have answered already and it would have to be encrypted, and
   * closes. What the client still sends is read away for a moment, or the system would reset the connection and
   * take the alert back.
   */
  async giveUp(alert: number | undefined): Promise<void> {
    this.#isOver = true;
    try {
      if (alert === undefined || this.#hasWritten) return;
      await deadline(this.#sendAlert(alert), CLOSE_TIMEOUT);
    } catch {
      // The client is gone, or does not read: it is closed without a word.
    } finally {
      this.#socket.close();
    }
  }

  async #sendAlert(alert: number): Promise<void> {
    const [ALERT_RECORD, FATAL] = [0x15, 2];
    const record = Uint8Array.of(ALERT_RECORD, 3, 3, 0, 2, FATAL, alert);
    for (let sent = 0; sent < record.length;) {
      sent += await this.#socket.write(record.subarray(sent));
    }
    await this.#socket.closeWrite();
    const buffer = new Uint8Array(KEPT);
    while (await this.#socket.read(buffer) !== null);
  }
}
