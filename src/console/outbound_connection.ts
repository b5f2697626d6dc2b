/**
 * An outbound connection of the console: the attempt, its handshakes, and the connection.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { AttemptTrace } from "../client/attempt_trace.ts";
import { Timeline } from "../client/timeline.ts";
import { dial, type DialStep } from "../transport/dial.ts";
import type { EndReason } from "../connection/end_reason.ts";
import type { Ladder } from "../trace/report/ladder.ts";
import { type Address, formatAddress, isUnix } from "../endpoint/address.ts";
import { Connection } from "../connection/connection.ts";
import type { Tap } from "../connection/observers.ts";
import type { ByteStream } from "../transport/stream.ts";
import { explain, faultOf } from "../transport/errors.ts";
import { Transcript } from "./transcript.ts";

/** The time limit for connecting in milliseconds. */
const TIMEOUT = 10_000;

/** The rate limit for reading: so many bytes, then a pause in milliseconds. */
const RATE_LIMIT = { bytes: 64 * 1024, pause: 100 };

/** Options of an outbound connection. */
export interface OutboundRequest {
  /** The target. */
  readonly target: Address;
  /** Whether to use TLS. */
  readonly tls: boolean;
  /** Whether to trust any certificate. */
  readonly insecure: boolean;
}

/** An outbound connection, from the attempt to the close. Disposing it closes it. */
export class OutboundConnection implements AsyncDisposable {
  /** Unique within the console. */
  readonly id: number;
  /** The last bytes of both directions. */
  readonly transcript: Transcript = new Transcript({ bytesIn: 0, bytesOut: 0 });
  /** The connection, once it is established. */
  connection: Connection | undefined;

  readonly #dialling: OutboundRequest;
  readonly #startedAt = Date.now();
  readonly #steps: { readonly at: number; readonly text: string }[] = [];
  readonly #timeline = new Timeline("", (text) => this.#addStep(text));
  #trace: AttemptTrace | undefined;
  readonly #taps = new Set<Tap>([this.transcript]);
  readonly #giveUp = new AbortController();
  readonly #done: Promise<void>;
  #state: "dialling" | "open" | "closed" | "failed" = "dialling";
  #error: string | undefined;

  /** Starts connecting. */
  constructor(dialling: OutboundRequest, { id }: { id: number }) {
    this.id = id;
    this.#dialling = dialling;
    this.#done = this.#run().catch((error) => this.#fail(error));
  }

  /** Whether the attempt failed or the connection is closed. */
  get isEnded(): boolean {
    return this.#state === "closed" || this.#state === "failed";
  }

  /** The handshake with each address that was tried, once its outcome is known. */
  ladders: readonly Ladder[] = [];

  /** Observes the bytes from now on, until disposed. */
  watch(tap: Tap): Disposable {
    this.#taps.add(tap);
    return { [Symbol.dispose]: () => void this.#taps.delete(tap) };
  }

  /** Its state without the bytes, for JSON. */
  describe(): object {
    const { target, tls } = this.#dialling;
    return {
      id: this.id,
      target: formatAddress(target),
      tls,
      state: this.#state,
      startedAt: this.#startedAt,
      steps: this.#steps,
      ladders: this.ladders.length,
      error: this.#error,
      reason: this.connection?.reason,
      bytesIn: this.connection?.bytesIn ?? 0,
      bytesOut: this.connection?.bytesOut ?? 0,
      halfClosed: this.connection?.halfClosed ?? false,
    };
  }

  /** Aborts the attempt or closes the connection. */
  close(): void {
    this.#giveUp.abort(new Error("given up from the console"));
    this.connection?.close("closed by the operator");
  }

  /** Closes it and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    await using trace = await AttemptTrace.start(
      this.#dialling.target,
      (why) => this.#addStep(why),
    );
    this.#trace = trace;
    const socket = await this.#connect();
    const drawing = trace.ladders(socket).then(
      (ladders) => this.ladders = ladders,
      (error) => this.#addStep(`no ladder: ${explain(error)}`),
    );
    if (socket) await this.#runSession(new Connection(socket, { id: this.id }));
    await drawing;
  }

  /** The stream; `undefined` if connecting failed. */
  async #connect(): Promise<ByteStream | undefined> {
    const { target, tls, insecure } = this.#dialling;
    const serverName = isUnix(target) ? "localhost" : target.hostname;
    try {
      const layers = tls ? { tls: { serverName, insecure } } : undefined;
      return await dial({ address: target, layers }, {
        timeout: TIMEOUT,
        signal: this.#giveUp.signal,
        onStep: (step) => this.#note(step),
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Records an error of this connection. */
  #fail(error: unknown): void {
    this.connection?.close("server closed");
    this.#state = "failed";
    this.#error = explain(error);
  }

  async #runSession(connection: Connection): Promise<void> {
    using _connection = this.connection = connection;
    using _watch = connection.tap(this.#all);
    if (this.#giveUp.signal.aborted) return this.#end("closed by the operator");
    this.#state = "open";
    try {
      await readAtPace(connection);
      this.#end("peer closed");
    } catch (error) {
      this.#end(faultOf(error));
    }
  }

  #addStep(text: string): void {
    this.#steps.push({ at: Date.now() - this.#startedAt, text });
  }

  #end(reason: EndReason): void {
    this.connection?.close(reason);
    this.#state = "closed";
  }

  #note(step: DialStep): void {
    this.#timeline.step(step);
    this.#trace?.step(step);
  }

  /** A tap that calls all observers. */
  get #all(): Tap {
    return {
      received: (bytes) => this.#taps.forEach((tap) => tap.received(bytes)),
      sent: (bytes) => this.#taps.forEach((tap) => tap.sent(bytes)),
    };
  }
}

/** Reads until the peer's FIN, at a limited rate. */
async function readAtPace(connection: Connection): Promise<void> {
  let remaining = RATE_LIMIT.bytes;
  for await (const chunk of connection.chunks()) {
    remaining -= chunk.length;
    if (remaining > 0) continue;
    await delay(RATE_LIMIT.pause);
    remaining = RATE_LIMIT.bytes;
  }
}
