/**
 * The connection socket: what the welcome socket hands out, one for every client.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { addressOf, peerOf } from "../endpoint/address.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { Conversation, type ConversationEnds } from "./conversation.ts";
import type { ByteStream } from "../transport/stream.ts";
import { sendReset } from "../transport/reset.ts";
import { unacknowledged } from "../transport/unacknowledged.ts";
import type { EndReason } from "./end_reason.ts";
import { type Tap, Taps } from "./observers.ts";

/**
 * Serves one client. Whoever accepted the connection closes it: a handler reads, writes, half-closes where
 * it wants to, and returns when the conversation is over. The signal is aborted when the server begins to
 * drain: a handler that would go on by itself for ever ends then; one that answers a client may go on
 * until the client ends or the connection is cut.
 */
export type Handler = (connection: Connection, signal: AbortSignal) => Promise<void>;

const tasks = new TaskScope("ending a connection", { without: "its peer ends it, or a deadline" });

/** How long a client may take to end its half after we ended ours, in milliseconds. */
const LINGERING_CLOSE = 2_000;

/**
 * A conversation over a stream of bytes.
 */
export class Connection extends Conversation {
  readonly #stream: ByteStream;
  readonly #buffer = new ReadBuffer();
  #writing = false;
  /** Writes that begin when the one before has ended; absent until somebody has to wait. */
  #waiting: (() => void)[] | undefined;
  #taps: Taps | undefined;
  #peerEnded = false;
  #weEnded = false;
  #isNoDelay = false;

  /**
   * Takes over the socket; disposing the connection closes it. Where a proxy announced the true ends of the
   * conversation, these are told instead of the socket's.
   */
  constructor(
    socket: ByteStream,
    { id, peer = peerOf(socket), local = addressOf(socket.localAddr) }:
      & Partial<ConversationEnds>
      & Pick<ConversationEnds, "id">,
  ) {
    super({ id, peer, local });
    this.#stream = socket;
  }

  /** Whether the client has ended its half: everything it will ever send has been read. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** Whether one side has ended its half, or both have. */
  get halfClosed(): boolean {
    return this.#peerEnded || this.#weEnded;
  }

  /** Whether bytes wait for the kernel to take them, which it does as fast as the client reads. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Bytes that the kernel has taken for the client and the client has not; `undefined` where that is not known. */
  get unacknowledged(): number | undefined {
    return unacknowledged(this.#stream);
  }

  /**
   * The next bytes from the client; `null` once it has ended its half. The bytes are only valid until
   * the next read: copy what is to be kept. One read at a time.
   */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#took(await this.#stream.read(this.#buffer.space));
  }

  #took(length: number | null): Uint8Array<ArrayBuffer> | null {
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
   * Hands over all that the client sends, chunk by chunk, until it ends its half; the next is read once what
   * `into` returns has resolved. Where every byte counts, this is the way: `for await` costs twice as much, and
   * every function that waits costs half a kilobyte while a connection is idle.
   */
  async forEachChunk(into: (chunk: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void> {
    for (;;) {
      const chunk = this.#took(await this.#stream.read(this.#buffer.space));
      if (chunk === null) return;
      await into(chunk);
    }
  }

  /** All that the client sends, chunk by chunk, until it ends its half; each as valid as {@linkcode read}'s. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) yield chunk;
  }

  /**
   * Sends all of the bytes, whole, behind those that others send already; resolves when the kernel has taken the last.
   */
  write(bytes: Uint8Array): Promise<void> {
    if (!this.#writing) return this.#send(bytes);
    return new Promise((resolve, reject) =>
      (this.#waiting ??= []).push(() => this.#send(bytes).then(resolve, reject))
    );
  }

  async #send(bytes: Uint8Array): Promise<void> {
    this.#writing = true;
    if (this.bytesOut > 0 && !this.#isNoDelay) this.#disableNagle();
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

  /**
   * Lets no bytes wait until earlier ones are acknowledged (RFC 896). The first never have to, and many clients get
   * no more than one answer.
   */
  #disableNagle(): void {
    this.#isNoDelay = true;
    this.#stream.setNoDelay(true);
  }

  /** Lets somebody see what comes and goes from now on, until the subscription is disposed. */
  tap(tap: Tap): Disposable {
    this.#taps ??= new Taps(() => this.#taps = undefined);
    return this.#taps.add(tap);
  }

  /** Ends our half: the client reads to the end of what was written, and may still send. */
  async closeWrite(): Promise<void> {
    if (this.#weEnded) return;
    this.#weEnded = true;
    await this.#stream.closeWrite();
  }

  /**
   * Ends the conversation so that the client surely gets the last bytes: our half first, then what it
   * still sends is read away until it ends its half, for a bounded time. (Closing a socket with unread
   * bytes resets the connection, RFC 2525 section 2.17, and a reset may overtake what was written.)
   *
   * @param reading is whoever reads already, and will until the client ends its half
   */
  async finish(reading?: Promise<void>): Promise<void> {
    if (this.isClosed) return;
    // Closing alone ends TCP, but not TLS (RFC 8446 section 6.1).
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
   * Cuts the conversation off, so that nobody takes what was said for all there was to say: the peer is reset, where
   * the system can do that. Where it cannot, the peer reads an end, and a note says so.
   */
  reset(reason: EndReason): void {
    if (this.isClosed) return;
    if (!sendReset(this.#stream)) this.note("reset", "sent as FIN");
    this.close(reason);
  }

  /** Closes the socket. */
  protected override closeCarrier(): void {
    this.#stream.close();
  }
}
