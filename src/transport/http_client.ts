/**
 * One client of an HTTP server, with a time limit for its requests and for reading responses.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { type ByteStream, wrap } from "./stream.ts";
import { FlowControl } from "./tls/flow_control.ts";
import { duplexOf } from "./tls/node_stream.ts";

/** Options of {@linkcode HttpClient}. */
export interface HttpClientOptions {
  /**
   * The time limit in milliseconds for a whole request, and for the client to read each piece of a
   * response.
   */
  readonly timeout: number;
  /** Called when the socket is closed. */
  closed(): void;
  /** Called when the client exceeds the time limit. */
  timedOut(): void;
}

/**
 * Reading from a client pauses while this many of its requests are pending (pipelining, RFC 9112,
 * section 9.3.2). One read may bring hundreds more, so it is small.
 */
const PIPELINE = { highWaterMark: 16, readSize: 16 * 1024 };

/** Requests of one client that are answered in one turn of the event loop. */
const TURN = { units: 16 };

const tasks = new TaskScope("an HTTP connection", { consequence: "that connection is closed" });

const clients = new WeakMap<object, HttpClient>();

/** A client, from accept to close. */
export class HttpClient {
  /** The accepted socket. */
  readonly socket: ByteStream;
  /**
   * Since when the server waits for the client, on the clock of `performance.now()`; `undefined`
   * while it does not.
   */
  waitsSince: number | undefined;

  readonly #options: HttpClientOptions;
  readonly #flowControl = new FlowControl({ belowTls: false, ...PIPELINE });
  #carrier: Duplex | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #requests = 0;
  #answered = Promise.resolve();
  readonly #budget = new TurnBudget(TURN);

  /** A client of which a request is awaited. */
  constructor(socket: ByteStream, options: HttpClientOptions) {
    this.socket = closedOnce(socket);
    this.#options = options;
    this.wait();
  }

  /** The client of a stream. */
  static of(carrier: object): HttpClient | undefined {
    return clients.get(carrier);
  }

  /** The stream that HTTP runs over. */
  get carrier(): Duplex {
    return this.#carrier!;
  }

  /** Sets the stream that HTTP runs over: the socket, or TLS over it. */
  setCarrier(stream: ByteStream): void {
    const carrier = duplexOf(stream, this.#flowControl);
    this.#carrier = carrier;
    clients.set(carrier, this);
    carrier.on("close", tasks.guard(() => this.#end()));
    // An error closes the stream; there is nothing else to do.
    carrier.on("error", tasks.guard(() => {}));
    if (this.#isClosed) carrier.destroy();
  }

  /** Starts the time limit: the server waits for the client. */
  wait(): void {
    if (this.#isClosed) return;
    this.waitsSince = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      tasks.guard(() => {
        this.#options.timedOut();
        this.close();
      }),
      this.#options.timeout,
    );
  }

  /** Stops the time limit: the server works on a response. */
  work(): void {
    this.waitsSince = undefined;
    clearTimeout(this.#timer);
  }

  /** Begins a request. With `waits`, its body is still awaited. */
  begin({ waits }: { waits: boolean }): void {
    this.#requests++;
    if (waits) this.wait();
    else this.work();
  }

  /** Ends a request. After the last one pending, the next is awaited. */
  finish(): void {
    if (--this.#requests === 0) this.wait();
  }

  /**
   * Answers the client's requests one at a time, in order. Node parses all that was read at once,
   * and resumes a stream that was paused, so the reads below it are held back instead.
   */
  async inOrder(answer: () => Promise<void>): Promise<void> {
    this.#flowControl.add(1);
    const answered = this.#answered
      .then(() => this.#isClosed ? undefined : this.#budget.spend())
      .then(() => this.#isClosed ? undefined : answer())
      .finally(() => this.#flowControl.take(1));
    this.#answered = answered.catch(() => {});
    await answered;
  }

  /** Answers 400 to what is not HTTP, and closes. */
  refuse(): void {
    const { carrier } = this;
    if (!carrier.writable) return void carrier.destroy();
    carrier.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  }

  /** Closes at once. The descriptor is free when this returns. */
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

/** Makes `close` idempotent. */
function closedOnce(stream: ByteStream): ByteStream {
  let isClosed = false;
  return wrap(stream, {
    close() {
      if (!isClosed) stream.close();
      isClosed = true;
    },
  });
}
