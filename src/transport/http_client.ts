/**
 * One client of an HTTP server, who may not keep it waiting: for a request, for its body, or for room to write.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { TaskScope } from "../scheduling/task_scope.ts";
import { type ByteStream, wrap } from "./stream.ts";
import { duplexOf, FlowControl } from "./tls/node_stream.ts";

/** What it may do, and who is told what becomes of it. */
export interface HttpClientOptions {
  /** How long it may keep us waiting, in milliseconds: for a whole request, and to take each piece of an answer. */
  readonly timeout: number;
  /** Its socket is closed. */
  closed(): void;
  /** It kept us waiting for too long. */
  gaveUp(): void;
}

/** Requests that a client may send before they are answered (pipelining, RFC 9112 section 9.3.2). */
const PIPELINE = 16;

const tasks = new TaskScope("an HTTP connection", { without: "that connection is closed" });

const clients = new WeakMap<object, HttpClient>();

/** A client, from accept to close. */
export class HttpClient {
  /** Its socket. */
  readonly socket: ByteStream;
  /** Since when we wait for it, as `performance.now()` tells it; `undefined` while we do not. */
  waitsSince: number | undefined;

  readonly #options: HttpClientOptions;
  #carrier: Duplex | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #requests = 0;
  #unanswered = 0;
  #answered = Promise.resolve();

  /** Waits for it from now on. */
  constructor(socket: ByteStream, options: HttpClientOptions) {
    this.socket = closedOnce(socket);
    this.#options = options;
    this.wait();
  }

  /** The client whose stream this is. */
  static of(carrier: object): HttpClient | undefined {
    return clients.get(carrier);
  }

  /** The stream that HTTP is spoken over. */
  get carrier(): Duplex {
    return this.#carrier!;
  }

  /** Speaks HTTP over this from now on: its socket, or TLS over that. */
  carryOver(stream: ByteStream): void {
    const carrier = duplexOf(stream, new FlowControl({ belowTls: false }));
    this.#carrier = carrier;
    clients.set(carrier, this);
    carrier.on("close", tasks.guard(() => this.#end()));
    // What fails closes the stream, and that is all there is to be done.
    carrier.on("error", tasks.guard(() => {}));
    if (this.#isClosed) carrier.destroy();
  }

  /** Waits for the client from now on; it is cut off where that takes too long. */
  wait(): void {
    if (this.#isClosed) return;
    this.waitsSince = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      tasks.guard(() => {
        this.#options.gaveUp();
        this.close();
      }),
      this.#options.timeout,
    );
  }

  /** The client has done its part. */
  work(): void {
    this.waitsSince = undefined;
    clearTimeout(this.#timer);
  }

  /** A request is there, or its head, where we wait for a body. */
  begin({ waits }: { waits: boolean }): void {
    this.#requests++;
    if (waits) this.wait();
    else this.work();
  }

  /** A request is answered; where it was the last of those that came at once, we wait for the next. */
  finish(): void {
    if (--this.#requests === 0) this.wait();
  }

  /**
   * Answers its requests one at a time, in order: each holds whatever its answer is made of. Nothing more is read from a
   * client that has sent {@linkcode PIPELINE} requests ahead.
   */
  async inOrder(answer: () => Promise<void>): Promise<void> {
    if (++this.#unanswered >= PIPELINE) this.carrier.pause();
    this.#answered = this.#answered.then(async () => {
      if (!this.#isClosed) await answer();
      if (--this.#unanswered < PIPELINE) this.carrier.resume();
    });
    await this.#answered;
  }

  /** What it sent is no HTTP. */
  refuse(): void {
    const { carrier } = this;
    if (!carrier.writable) return void carrier.destroy();
    carrier.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  }

  /** Closes at once: its descriptor is free when this returns. */
  close(): void {
    this.socket.close();
    this.#carrier?.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.work();
    this.#options.closed();
  }
}

/** The same stream, which may be closed more than once. */
function closedOnce(stream: ByteStream): ByteStream {
  let isClosed = false;
  return wrap(stream, {
    close() {
      if (!isClosed) stream.close();
      isClosed = true;
    },
  });
}
