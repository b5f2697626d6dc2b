/**
 * A connection that was made from the console: the attempt, its handshake, and the conversation.
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

/** How long connecting may take, in milliseconds. */
const TIMEOUT = 10_000;

/** A peer is read at this pace: so many bytes, then a pause in milliseconds. Nobody reads faster. */
const PACE = { bytes: 64 * 1024, pause: 100 };

/** Where to, and how. */
export interface OutboundRequest {
  /** The target. */
  readonly target: Address;
  /** Whether to speak TLS. */
  readonly tls: boolean;
  /** Whether to trust whoever answers. */
  readonly insecure: boolean;
}

/** One attempt, and what it led to. Disposing it hangs up. */
export class OutboundConnection implements AsyncDisposable {
  /** Its number: unique in the life of the console. */
  readonly id: number;
  /** The last bytes each way. */
  readonly transcript: Transcript = new Transcript({ bytesIn: 0, bytesOut: 0 });
  /** The connection, once there is one. */
  connection: Connection | undefined;

  readonly #dialling: OutboundRequest;
  readonly #startedAt = Date.now();
  readonly #steps: { readonly at: number; readonly text: string }[] = [];
  readonly #timeline = new Timeline("", (text) => this.#tell(text));
  #trace: AttemptTrace | undefined;
  readonly #taps = new Set<Tap>([this.transcript]);
  readonly #giveUp = new AbortController();
  readonly #done: Promise<void>;
  #state: "dialling" | "open" | "closed" | "failed" = "dialling";
  #error: string | undefined;

  /** Begins at once. */
  constructor(dialling: OutboundRequest, { id }: { id: number }) {
    this.id = id;
    this.#dialling = dialling;
    this.#done = this.#run().catch((error) => this.#fail(error));
  }

  /** Whether it is over. */
  get over(): boolean {
    return this.#state === "closed" || this.#state === "failed";
  }

  /** The ladder of each address that was tried, once it is known what came of it. */
  ladders: readonly Ladder[] = [];

  /** Lets somebody read along from now on, until the subscription is disposed. */
  watch(tap: Tap): Disposable {
    this.#taps.add(tap);
    return { [Symbol.dispose]: () => void this.#taps.delete(tap) };
  }

  /** All of it but the bytes, for JSON. */
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

  /** Gives up, or hangs up. */
  close(): void {
    this.#giveUp.abort(new Error("given up from the console"));
    this.connection?.close("closed by the operator");
  }

  /** Hangs up, and waits until it is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    await using trace = await AttemptTrace.start(this.#dialling.target, (why) => this.#tell(why));
    this.#trace = trace;
    const socket = await this.#reach();
    const drawing = trace.ladders(socket).then(
      (ladders) => this.ladders = ladders,
      (error) => this.#tell(`no ladder: ${explain(error)}`),
    );
    if (socket) await this.#converse(new Connection(socket, { id: this.id }));
    await drawing;
  }

  /** The socket, or nothing where the attempt failed. */
  async #reach(): Promise<ByteStream | undefined> {
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

  /** Whatever goes wrong is this attempt's own. */
  #fail(error: unknown): void {
    this.connection?.close("server closed");
    this.#state = "failed";
    this.#error = explain(error);
  }

  async #converse(connection: Connection): Promise<void> {
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

  #tell(text: string): void {
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

  /** Everybody who reads along. */
  get #all(): Tap {
    return {
      received: (bytes) => this.#taps.forEach((tap) => tap.received(bytes)),
      sent: (bytes) => this.#taps.forEach((tap) => tap.sent(bytes)),
    };
  }
}

/** Reads until the peer ends, no faster than somebody could look. */
async function readAtPace(connection: Connection): Promise<void> {
  let room = PACE.bytes;
  for await (const chunk of connection.chunks()) {
    room -= chunk.length;
    if (room > 0) continue;
    await delay(PACE.pause);
    room = PACE.bytes;
  }
}
