/**
 * A socket during the TLS handshake. Node's TLS closes its carrier as soon as a handshake has
 * failed, before the alert is sent; this stream delays the close.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import type { ByteStream } from "../stream.ts";

/** The maximum number of recorded bytes: the longest record. */
const MAX_RECORDED = 5 + 16 * 1024;

/** How long a client may take to read the alert and close, in milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/**
 * Passes everything through, records the client's first bytes, and closes only after the handshake.
 */
export class HandshakeStream implements ByteStream {
  /** The local address. */
  readonly localAddr: Deno.Addr;
  /** The client's address. */
  readonly remoteAddr: Deno.Addr;
  readonly #socket: ByteStream;
  #received: Uint8Array | undefined = new Uint8Array();
  #hasWritten = false;
  #isFinished = false;

  /** Takes over the socket. */
  constructor(socket: ByteStream) {
    this.#socket = socket;
    this.localAddr = socket.localAddr;
    this.remoteAddr = socket.remoteAddr;
  }

  /** The first bytes from the client. */
  get received(): Uint8Array {
    return this.#received ?? new Uint8Array();
  }

  /** As `Deno.Conn.read`. */
  async read(into: Uint8Array): Promise<number | null> {
    const length = await this.#socket.read(into);
    if (this.#received && length !== null && this.#received.length < MAX_RECORDED) {
      this.#received = Uint8Array.of(...this.#received, ...into.subarray(0, length));
    }
    return length;
  }

  /** As `Deno.Conn.write`. */
  write(bytes: Uint8Array): Promise<number> {
    this.#hasWritten = true;
    return this.#socket.write(bytes);
  }

  /** Sends a FIN. */
  closeWrite(): Promise<void> {
    return this.#socket.closeWrite();
  }

  /** Sets `TCP_NODELAY`. */
  setNoDelay(on?: boolean): void {
    this.#socket.setNoDelay(on);
  }

  /** Sets `SO_KEEPALIVE`. */
  setKeepAlive(on?: boolean): void {
    this.#socket.setKeepAlive(on);
  }

  /** Closes the socket, after the handshake. */
  close(): void {
    if (this.#isFinished) this.#socket.close();
  }

  /** The handshake succeeded: from now on, it only passes through. */
  handOver(): void {
    this.#received = undefined;
    this.#isFinished = true;
  }

  /**
   * The handshake failed: sends the alert, unless the server has already responded and it would
   * have to be encrypted, and closes. Input is discarded for a moment first: closing with unread
   * data sends a RST, and the client could lose the alert.
   */
  async giveUp(alert: number | undefined): Promise<void> {
    this.#isFinished = true;
    try {
      if (alert === undefined || this.#hasWritten) return;
      await deadline(this.#sendAlert(alert), CLOSE_TIMEOUT);
    } catch {
      // The client has disconnected or does not read.
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
    const buffer = new Uint8Array(MAX_RECORDED);
    while (await this.#socket.read(buffer) !== null);
  }
}
