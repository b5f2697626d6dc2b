/**
 * An HTTP server over `node:http` that limits slow clients and keeps spare descriptors.
 * `Deno.serve` waits without limit for the rest of a request, and ends when descriptors run out.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { delay } from "@std/async/delay";
import type { InternetAddress } from "../endpoint/address.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { nextTurn, TurnBudget } from "../scheduling/turn_budget.ts";
import { codeOf } from "./errors.ts";
import { answerOver } from "./http_answer.ts";
import { httpCounts } from "./http_counts.ts";
import { HttpClient } from "./http_client.ts";
import { descriptorLimit, SpareDescriptors } from "./spare_descriptors.ts";
import { acceptStage, type ServerLayers } from "./layers.ts";
import { refuseOldRuntime } from "./runtime_check.ts";
import { ACCEPT_TURN, listen, type Listener } from "./listen.ts";
import { contextOf, type Stage } from "./stage.ts";
import type { ByteStream } from "./stream.ts";

/** Options of {@linkcode HttpServer}. */
export interface HttpServerOptions {
  /** What is served, for errors: `cannot serve metrics on …`. */
  readonly noun: string;
  /** The maximum number of connections; less if the descriptor limit is low. */
  readonly maxConnections: number;
  /** The request handler. */
  answer(request: Request): Promise<Response> | Response;
  /** The time limit for a client in milliseconds. */
  readonly timeout?: number;
}

/** Where HTTP is served. */
export type HttpEndpoint = Endpoint<ServerLayers> & { readonly address: InternetAddress };

/** The length of the accept queue. */
const BACKLOG = 511;

/** The default time limit in milliseconds. */
const TIMEOUT = 10_000;

/** The share of the process's descriptors for connections of one HTTP server, and the minimum. */
const SHARE = { of: 1 / 16, least: 4 };

/** The pause after a failed accept, in milliseconds. It doubles from `first` to `last`. */
const PAUSE = { first: 10, last: 1_000 };

/** An HTTP server that keeps running when descriptors run out. Disposing it closes it. */
export class HttpServer implements AsyncDisposable {
  /** The address it is bound to, with the real port. */
  readonly address: InternetAddress;
  /** The maximum number of connections. As many spare descriptors are reserved at the start. */
  readonly maxConnections: number;
  /**
   * Clients that were disconnected because they exceeded the time limit or the connection limit was
   * reached.
   */
  cutOff = 0;

  readonly #options: HttpServerOptions;
  readonly #tasks: TaskScope;
  readonly #closing = new AbortController();
  readonly #listener: Listener;
  readonly #scheme: "http" | "https";
  /** The layers below HTTP. */
  readonly #stage: Stage | undefined;
  readonly #spare: SpareDescriptors;
  readonly #clients = new Set<HttpClient>();
  readonly #node = createServer({ keepAliveTimeout: 0 });
  readonly #accepting: Promise<void>;

  private constructor(endpoint: HttpEndpoint, options: HttpServerOptions) {
    this.#options = options;
    const { noun, maxConnections } = options;
    refuseOldRuntime(this.#node, noun);
    this.#tasks = new TaskScope(`serving ${noun}`, { consequence: "that request is not answered" });
    this.#listener = listen(endpoint, { backlog: BACKLOG, purpose: `serve ${noun}` });
    this.#scheme = endpoint.layers?.tls ? "https" : "http";
    this.#stage = acceptStage(endpoint.layers);
    const { port } = this.#listener.addr as Deno.NetAddr;
    this.address = { ...endpoint.address, port };
    const share = Math.floor((descriptorLimit() ?? Infinity) * SHARE.of);
    this.maxConnections = Math.min(maxConnections, Math.max(share, SHARE.least));
    this.#spare = new SpareDescriptors(this.maxConnections);
    // Node's server does not listen itself. Deno closes each connection of such a server after its
    // first response, unless `listening` is set.
    Object.defineProperty(this.#node, "listening", { value: true });
    this.#node.on(
      "request",
      this.#tasks.guard((message, response) => this.#answer(message, response)),
    );
    // Invalid HTTP is answered with 400; a closed connection is not an error.
    this.#node.on(
      "clientError",
      this.#tasks.guard((_error, carrier) => HttpClient.of(carrier)?.refuse()),
    );
    this.#accepting = this.#acceptAll();
  }

  /**
   * Listens; port 0 takes a free port.
   * @throws {Error} `cannot serve metrics on 127.0.0.1:9100: …` if the system refuses
   */
  static open(endpoint: HttpEndpoint, options: HttpServerOptions): HttpServer {
    return new HttpServer(endpoint, options);
  }

  /** Stops listening and aborts pending responses. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#listener.close();
    await this.#accepting;
    for (const client of [...this.#clients]) client.close();
    this.#spare[Symbol.dispose]();
    // A client whose next answer waits for a turn of the event loop finds itself closed.
    await nextTurn();
  }

  async #acceptAll(): Promise<void> {
    const { signal } = this.#closing;
    const budget = new TurnBudget(ACCEPT_TURN);
    let pause = 0;
    while (!signal.aborted) {
      const turn = budget.spend();
      if (turn) await turn;
      try {
        // A spare descriptor is only given up if there is no other: another part of the process
        // could take it first.
        const socket = await this.#listener.accept();
        this.#spare.lend();
        this.#accept(socket);
        pause = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (codeOf(error) !== "EMFILE" && codeOf(error) !== "ENFILE") continue;
        pause = await this.#acceptWithSpare(pause);
      }
    }
  }

  /** Accepts with a spare descriptor. Returns the pause after the next failure in milliseconds. */
  async #acceptWithSpare(pause: number): Promise<number> {
    this.#spare.lend();
    try {
      this.#accept(await this.#listener.accept());
      return 0;
    } catch {
      this.#spare.takeBack();
      const { first, last } = PAUSE;
      await delay(pause, { signal: this.#closing.signal }).catch(() => {});
      return Math.min(Math.max(pause * 2, first), last);
    }
  }

  /** Adds a client. At the limit, the client that has been waited for longest is closed. */
  #accept(socket: ByteStream): void {
    const client = new HttpClient(socket, {
      timeout: this.#options.timeout ?? TIMEOUT,
      closed: () => {
        this.#clients.delete(client);
        this.#spare.takeBack();
      },
      timedOut: () => this.#count(),
    });
    this.#clients.add(client);
    if (this.#clients.size > this.maxConnections) this.#makeRoom(client);
    if (this.#clients.has(client)) this.#tasks.run(this.#begin(client));
  }

  /**
   * Clients whose request is being handled stay. Of the others, the newest may be the one that is
   * closed.
   */
  #makeRoom(newcomer: HttpClient): void {
    let longest = newcomer;
    for (const client of this.#clients) {
      if ((client.waitsSince ?? Infinity) < longest.waitsSince!) longest = client;
    }
    this.#count();
    longest.close();
  }

  #count(): void {
    this.cutOff++;
    httpCounts.cutOff++;
  }

  async #begin(client: HttpClient): Promise<void> {
    const { socket } = client;
    try {
      const context = contextOf(socket, this.#closing.signal);
      client.setCarrier(this.#stage ? await this.#stage(socket, context) : socket);
    } catch {
      // The TLS handshake failed; the client got an alert.
      return client.close();
    }
    if (this.#clients.has(client)) this.#node.emit("connection", client.carrier);
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = HttpClient.of(message.socket);
    if (!client) return;
    const { noun, answer } = this.#options;
    await client.inOrder(() =>
      answerOver({ message, response }, {
        client,
        scheme: this.#scheme,
        answer: async (request) => {
          try {
            return await answer(request);
          } catch (error) {
            this.#tasks.fail(error);
            return new Response(`the ${noun} had a fault\n`, { status: 500 });
          }
        },
      })
    );
  }
}
