/**
 * The connection socket, which is created for each accepted client.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { addressOf, peerOf } from "../endpoint/address.ts";
import { CrlfEncoder } from "./crlf.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { Conversation, type ConversationEnds } from "./conversation.ts";
import type { ByteStream } from "../transport/stream.ts";
import { sendReset } from "../transport/reset.ts";
import { unacknowledged } from "../transport/unacknowledged.ts";
import type { EndReason } from "./end_reason.ts";
import { type Tap, Taps } from "./observers.ts";

/**
 * A connection's handler. The acceptor closes the connection: a handler reads, writes, half-closes
 * if it wants to, and returns when it is done. The signal is aborted when the server starts to
 * drain: a handler that would otherwise run forever then returns; one that responds to a client may
 * continue until the client sends its FIN or the connection is closed.
 */
export type Handler = (connection: Connection, signal: AbortSignal) => Promise<void>;

const tasks = new TaskScope("ending a connection", {
  consequence: "its peer ends it, or a deadline",
});

/** How long a client may take to send its FIN after ours, in milliseconds. */
const LINGERING_CLOSE = 2_000;

const NOTHING = new Uint8Array(0);

/** Options of {@linkcode Connection}. */
export interface ConnectionOptions extends Partial<ConversationEnds> {
  /** Unique within the process. */
  readonly id: number;
  /** Whether a CR is sent before every LF that lacks one. */
  readonly crlf?: boolean;
}

/** A connection over a byte stream. */
export class Connection extends Conversation {
  readonly #stream: ByteStream;
  readonly #buffer = new ReadBuffer();
  #writing = false;
  /** Queued writes; absent until a write has to wait. */
  #waiting: (() => void)[] | undefined;
  /** The read that `readAhead` started. */
  #ahead: Promise<Uint8Array<ArrayBuffer> | null> | undefined;
  /** The read that comes after `#ahead`, where something was put back in front of it. */
  #next: Promise<Uint8Array<ArrayBuffer> | null> | undefined;
  #taps: Taps | undefined;
  readonly #crlf: CrlfEncoder | undefined;
  #peerEnded = false;
  #weEnded = false;
  #isNoDelay = false;

  /**
   * Takes over the stream; disposing the connection closes it. Addresses from a PROXY header
   * replace the stream's.
   */
  constructor(
    socket: ByteStream,
    { id, peer = peerOf(socket), local = addressOf(socket.localAddr), crlf }: ConnectionOptions,
  ) {
    super({ id, peer, local });
    this.#stream = socket;
    this.#crlf = crlf ? new CrlfEncoder() : undefined;
  }

  /** Whether the client has sent its FIN, and all data before it has been read. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** Whether at least one side has sent its FIN. */
  get halfClosed(): boolean {
    return this.#peerEnded || this.#weEnded;
  }

  /** Whether a write is pending. */
  get writing(): boolean {
    return this.#writing;
  }

  /**
   * The number of bytes in the send queue that the client has not acknowledged; `undefined` if it
   * is not known.
   */
  get unacknowledged(): number | undefined {
    return unacknowledged(this.#stream);
  }

  /**
   * Reads the next bytes; `null` after the client's FIN. The bytes are valid until the next read,
   * so copy what you keep. Only one read may be pending.
   */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const ahead = this.#ahead;
    if (!ahead) return this.#onRead(await this.#stream.read(this.#buffer.space));
    this.#ahead = this.#next;
    this.#next = undefined;
    return await ahead;
  }

  /**
   * Starts a read whose result the next `read` returns, to notice a reset meanwhile. Resolves after
   * that read.
   */
  async readAhead(): Promise<void> {
    this.#ahead ??= this.read();
    await this.#ahead;
  }

  /** Puts back received bytes, which the next `read` returns; once before it is read from again. */
  unread(bytes: Uint8Array<ArrayBuffer>): void {
    this.#next = this.#ahead;
    this.#ahead = Promise.resolve(bytes);
  }

  /** Writes nothing, which fails if the peer has reset the connection. */
  async probe(): Promise<void> {
    await this.#stream.write(NOTHING);
  }

  #onRead(length: number | null): Uint8Array<ArrayBuffer> | null {
    if (length === null) {
      this.#peerEnded = true;
      return null;
    }
    this.bytesIn += length;
    const chunk = this.#buffer.take(length);
    this.#taps?.received(chunk);
    return chunk;
  }

  /**
   * Calls `into` with each chunk until the client's FIN, and reads the next one when its promise
   * resolves. This is the fastest way: `for await` takes twice the time, and each waiting async
   * function costs half a kilobyte of an idle connection.
   */
  async forEachChunk(into: (chunk: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void> {
    let chunk = await this.read();
    while (chunk !== null) {
      await into(chunk);
      chunk = this.#ahead
        ? await this.read()
        : this.#onRead(await this.#stream.read(this.#buffer.space));
    }
  }

  /** The chunks until the client's FIN; each is valid until the next one. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) yield chunk;
  }

  /**
   * Writes all bytes after those of earlier writes. Resolves when the kernel has accepted the last.
   */
  write(bytes: Uint8Array): Promise<void> {
    if (!this.#writing) return this.#send(bytes);
    return new Promise((resolve, reject) =>
      (this.#waiting ??= []).push(() => this.#send(bytes).then(resolve, reject))
    );
  }

  async #send(given: Uint8Array): Promise<void> {
    this.#writing = true;
    const bytes = this.#crlf ? this.#crlf.encode(given) : given;
    if (this.bytesOut > 0 && !this.#isNoDelay) {
      // Not for the first write: it is never delayed (RFC 896), and many connections have only one.
      this.#isNoDelay = true;
      this.#stream.setNoDelay(true);
    }
    try {
      for (let sent = 0; sent < bytes.length;) {
        const rest = sent === 0 ? bytes : bytes.subarray(sent);
        const taken = await this.#stream.write(rest);
        this.bytesOut += taken;
        sent += taken;
        this.#taps?.sent(rest.subarray(0, taken));
      }
    } finally {
      this.#writing = false;
      this.#waiting?.shift()?.();
    }
  }

  /** Observes received and sent bytes from now on, until disposed. */
  tap(tap: Tap): Disposable {
    this.#taps ??= new Taps(() => this.#taps = undefined);
    return this.#taps.add(tap);
  }

  /** Sends a FIN after all writes. The client may still send. */
  async closeWrite(): Promise<void> {
    if (this.#weEnded) return;
    this.#weEnded = true;
    await this.#stream.closeWrite();
  }

  /**
   * Closes the connection so that the client gets the last bytes: sends a FIN, then discards input
   * until the client's FIN, for a limited time. (Closing a socket with unread data sends a RST, RFC
   * 2525 section 2.17, and the client could lose data.)
   * @param reading is a read loop that is already running and ends at the client's FIN
   */
  async finish(reading?: Promise<void>): Promise<void> {
    if (this.isClosed) return;
    // Closing the socket ends TCP, but not TLS (RFC 8446, section 6.1).
    if (this.#peerEnded) await this.closeWrite().catch(() => {});
    else await this.#linger(reading);
    this.close("peer closed");
  }

  async #linger(reading: Promise<void> | undefined): Promise<void> {
    this.endAs("server closed");
    await this.closeWrite();
    const late = setTimeout(tasks.guard(() => this.close("server closed")), LINGERING_CLOSE);
    try {
      await (reading ?? this.#discardInput());
    } finally {
      clearTimeout(late);
    }
  }

  async #discardInput(): Promise<void> {
    while (await this.read() !== null);
  }

  /**
   * Aborts the connection, so that the peer does not take the data for complete: with a RST if the
   * system can send one; otherwise with a FIN, and a note.
   */
  reset(reason: EndReason): void {
    if (this.isClosed) return;
    if (!sendReset(this.#stream)) this.note("reset", "sent as FIN");
    this.close(reason);
  }

  /** Closes the socket. */
  protected override closeCarrier(): void {
    this.#buffer.release();
    this.#stream.close();
  }
}
