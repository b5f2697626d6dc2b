/**
 * A WebSocket as a byte stream: payloads of messages in, a message for each write out.
 *
 * A WebSocket has no half-close. `closeWrite` sends the close frame, after which nothing more may be
 * sent; what the peer still sends before its own close frame is delivered. The close frame of the peer
 * is the end of what is read; it is answered when this side has ended, too.
 *
 * @module
 */
import { TaskScope } from "../../scheduling/task_scope.ts";
import { TurnBudget } from "../../scheduling/turn_budget.ts";
import { CutOffError, ProtocolEnd } from "../errors.ts";
import type { ByteStream } from "../stream.ts";
import { CLOSE, type CloseFrame, closePayload, formatClose, isOrderly } from "./close.ts";
import { type FrameFault, FrameReader, OPCODE } from "./frame_reader.ts";
import { FrameWriter } from "./frame_writer.ts";
import type { KeepAlive } from "./keep_alive.ts";
import { MessageEncoder, type MessageForm } from "./message_encoder.ts";
import { untilQuiet } from "./quiet.ts";

/** How long the peer may take to close after a failure, in milliseconds. */
const LINGERING_CLOSE = 2_000;

/** Bytes without payload that count as a unit of work. */
const BYTES_PER_UNIT = 1_024;

const tasks = new TaskScope("a WebSocket", { consequence: "that connection is closed" });

/** Options of {@linkcode WebSocketStream}. */
export interface WebSocketOptions {
  /** Which end it is: a client masks its frames, a server does not. */
  readonly role: "client" | "server";
  /** What is sent in a message, and whether received messages are lines. */
  readonly form: MessageForm;
  /** The maximum length of a received message in bytes. */
  readonly maxMessage: number;
  /** Sends pings. */
  readonly keepAlive: KeepAlive;
  /** Adds a note about the connection. */
  note(name: string, value: string): void;
}

/** A WebSocket over any byte stream. Closing it closes that stream. */
export class WebSocketStream implements ByteStream {
  /** The local address. */
  readonly localAddr: Deno.Addr;
  /** The remote address. */
  readonly remoteAddr: Deno.Addr;
  /** How often something was received. */
  reads = 0;
  /** Whether a read waits for the peer. */
  isReading = false;
  /** Whether the peer has ended. */
  hasEnded = false;
  readonly #under: ByteStream;
  readonly #options: WebSocketOptions;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  readonly #encoder: MessageEncoder | undefined;
  readonly #watch: Disposable;
  readonly #closed = new AbortController();
  readonly #budget = new TurnBudget();
  #hasSentClose = false;
  #error: Error | undefined;

  /** Takes over a stream after the opening handshake. */
  constructor(under: ByteStream, options: WebSocketOptions) {
    const { role, form, maxMessage, keepAlive } = options;
    this.#under = under;
    this.#options = options;
    this.localAddr = under.localAddr;
    this.remoteAddr = under.remoteAddr;
    const isServer = role === "server";
    this.#reader = new FrameReader({ isMasked: isServer, maxMessage, lines: form === "lines" });
    this.#writer = new FrameWriter(under, { masks: !isServer });
    this.#encoder = form === "binary" ? undefined : new MessageEncoder(form);
    this.#watch = keepAlive.watch(this);
  }

  /** As `Deno.Conn.read`: the payloads of data frames. */
  async read(into: Uint8Array): Promise<number | null> {
    const reader = this.#reader;
    for (;;) {
      if (this.#error) throw this.#error;
      if (this.hasEnded) return null;
      if (reader.fault) await this.#fail(reader.fault);
      else if (reader.close) await this.#receiveClose(reader.close);
      else {
        const length = await this.#readUnder(into);
        if (length === null) continue;
        const payload = reader.take(into, length);
        if (reader.ping) this.#answerPing(reader.ping);
        if (payload > 0) return payload;
        const turn = this.#budget.spend(Math.ceil(length / BYTES_PER_UNIT));
        if (turn) await turn;
      }
    }
  }

  /** Reads from the stream below; `null` where that has ended. */
  async #readUnder(into: Uint8Array): Promise<number | null> {
    // A newline that had no room in the buffer before comes first.
    if (this.#reader.owesNewline) return 0;
    this.isReading = true;
    try {
      const length = await this.#under.read(into);
      this.reads++;
      if (length === null) this.#endUnder();
      return length;
    } catch (error) {
      throw this.#error ?? error;
    } finally {
      this.isReading = false;
    }
  }

  /** The stream below has ended without a close frame: data may be missing, unless we had closed before. */
  #endUnder(): void {
    this.hasEnded = true;
    if (!this.#hasSentClose) {
      this.#error = new CutOffError("the peer closed without a WebSocket close frame");
    }
  }

  #answerPing(payload: Uint8Array): void {
    this.#reader.ping = undefined;
    if (!this.#hasSentClose) this.#control(OPCODE.pong, payload);
  }

  /** Sends a control frame. If that fails, the next read or write does. */
  #control(opcode: number, payload: Uint8Array): void {
    tasks.run(this.#writer.control(opcode, payload).catch(() => {}));
  }

  async #receiveClose(frame: CloseFrame): Promise<void> {
    this.hasEnded = true;
    if (frame.code !== undefined && frame.code !== CLOSE.normal) {
      this.#options.note("ws-close", formatClose(frame));
    }
    if (isOrderly(frame)) return;
    this.#error = new ProtocolEnd(`closed with ${formatClose(frame)}`);
    await this.#endWith({ code: frame.code, reason: "" });
  }

  async #fail({ code, reason }: FrameFault): Promise<void> {
    this.#error = new Error(`the peer broke the WebSocket protocol: ${reason}`);
    await this.#endWith({ code, reason });
  }

  /**
   * Sends the close frame and the end, and discards input for a moment: closing with unread data sends
   * a RST, and the peer could lose the close frame.
   */
  async #endWith(frame: CloseFrame): Promise<void> {
    const late = setTimeout(tasks.guard(() => this.close()), LINGERING_CLOSE);
    try {
      await this.#sendClose(frame);
      await this.#under.closeWrite();
      const discarded = new Uint8Array(16 * 1024);
      while (await this.#under.read(discarded) !== null);
    } catch {
      // The peer is gone, or was too late.
    } finally {
      clearTimeout(late);
    }
  }

  async #sendClose(frame: CloseFrame): Promise<void> {
    if (this.#hasSentClose) return;
    this.#hasSentClose = true;
    await this.#writer.message(OPCODE.close, closePayload(frame));
  }

  /** As `Deno.Conn.write`: all bytes are taken, as one message; with `lines`, as one for each line. */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.#hasSentClose) throw new Deno.errors.BrokenPipe("the WebSocket is closed");
    if (bytes.length === 0) return 0;
    if (!this.#encoder) {
      await this.#writer.message(OPCODE.binary, bytes);
      return bytes.length;
    }
    for (const text of this.#encoder.push(bytes)) {
      await this.#writeText(text);
      // A write can be thousands of lines, and the kernel takes each at once.
      const turn = this.#budget.spend();
      if (turn) await turn;
    }
    return bytes.length;
  }

  async #writeText(text: Uint8Array): Promise<void> {
    if (this.#encoder!.hasReplaced) this.#options.note("ws-text", "invalid UTF-8 was replaced");
    await this.#writer.message(OPCODE.text, text);
  }

  /** Sends the close frame after everything that was written. */
  async closeWrite(): Promise<void> {
    if (this.#hasSentClose) return;
    const rest = this.#encoder?.end();
    if (rest) await this.#writeText(rest);
    // Most servers answer nothing once they have the close frame.
    if (this.#options.role === "client") await untilQuiet(this, this.#closed.signal);
    const { close } = this.#reader;
    await this.#sendClose(close ?? { code: CLOSE.normal, reason: "" });
  }

  /** Sends a ping. */
  ping(): void {
    if (!this.#hasSentClose && !this.hasEnded) this.#control(OPCODE.ping, new Uint8Array(0));
  }

  /** The peer has not answered a ping. */
  expire(): void {
    this.#error ??= new ProtocolEnd("ping timeout");
    this.close();
  }

  /**
   * Closes at once. Pending reads and writes reject. The peer gets a close frame if that takes no
   * waiting, and where an abort is a RST and so looks different: not on Unix sockets.
   */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#watch[Symbol.dispose]();
    const isTold = !this.#hasSentClose && !this.#writer.isWriting &&
      this.localAddr.transport !== "unix";
    this.#hasSentClose = true;
    if (isTold) {
      this.#control(OPCODE.close, closePayload({ code: CLOSE.goingAway, reason: "" }));
    }
    this.#closed.abort();
    this.#under.close();
  }

  /** Sets `TCP_NODELAY` on the socket below. */
  setNoDelay(on?: boolean): void {
    this.#under.setNoDelay(on);
  }

  /** Sets `SO_KEEPALIVE` on the socket below. */
  setKeepAlive(on?: boolean): void {
    this.#under.setKeepAlive(on);
  }
}
