/**
 * An HTTP server that strangers cannot starve, and that takes nothing from anybody else: it accepts by itself, over
 * node:http, because `Deno.serve` waits for ever for the rest of a request, and ends when descriptors run out.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { delay } from "@std/async/delay";
import type { InternetAddress } from "../endpoint/address.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
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

/** What is served, and how. */
export interface HttpServerOptions {
  /** What is served, as an error calls it: `cannot serve metrics on …`. */
  readonly noun: string;
  /** The most connections at the same time, where the system allows for as many. */
  readonly maxConnections: number;
  /** Answers each request. */
  answer(request: Request): Promise<Response> | Response;
  /** How long a client may keep the server waiting, in milliseconds. */
  readonly timeout?: number;
}

/** Where HTTP is served. */
export type HttpEndpoint = Endpoint<ServerLayers> & { readonly address: InternetAddress };

/** Clients that may wait to be accepted. */
const BACKLOG = 511;

/** How long a client may keep the server waiting, in milliseconds, where nothing else is said. */
const TIMEOUT = 10_000;

/** The share of the process's descriptors that connections of one HTTP server may have, and how many at least. */
const SHARE = { of: 1 / 16, least: 4 };

/** The pause before accept is tried again when no descriptor is free at all, in milliseconds. */
const PAUSE = { first: 10, last: 1_000 };

/** An HTTP server that is there until it is disposed, also when descriptors run out in between. */
export class HttpServer implements AsyncDisposable {
  /** Where it is, with the real port. */
  readonly address: InternetAddress;
  /** The most connections at the same time. Descriptors are kept for them from the start. */
  readonly maxConnections: number;
  /** How many clients it has cut off to make room for others, or because they kept it waiting. */
  cutOff = 0;

  readonly #options: HttpServerOptions;
  readonly #tasks: TaskScope;
  readonly #closing = new AbortController();
  readonly #listener: Listener;
  readonly #scheme: "http" | "https";
  /** What is spoken before HTTP. */
  readonly #stage: Stage | undefined;
  readonly #spare: SpareDescriptors;
  readonly #clients = new Set<HttpClient>();
  readonly #node = createServer({ keepAliveTimeout: 0 });
  readonly #accepting: Promise<void>;

  private constructor(endpoint: HttpEndpoint, options: HttpServerOptions) {
    this.#options = options;
    const { noun, maxConnections } = options;
    refuseOldRuntime(this.#node, noun);
    this.#tasks = new TaskScope(`serving ${noun}`, { without: "that request is not answered" });
    this.#listener = listen(endpoint, { backlog: BACKLOG, purpose: `serve ${noun}` });
    this.#scheme = endpoint.layers?.tls ? "https" : "http";
    this.#stage = acceptStage(endpoint.layers);
    const { port } = this.#listener.addr as Deno.NetAddr;
    this.address = { ...endpoint.address, port };
    const share = Math.floor((descriptorLimit() ?? Infinity) * SHARE.of);
    this.maxConnections = Math.min(maxConnections, Math.max(share, SHARE.least));
    this.#spare = new SpareDescriptors(this.maxConnections);
    // It listens to nothing itself; Deno closes each connection of such a server after its first answer.
    Object.defineProperty(this.#node, "listening", { value: true });
    this.#node.on(
      "request",
      this.#tasks.guard((message, response) => this.#answer(message, response)),
    );
    // What is no HTTP is answered with 400, and a client that has gone with nothing.
    this.#node.on(
      "clientError",
      this.#tasks.guard((_error, carrier) => HttpClient.of(carrier)?.refuse()),
    );
    this.#accepting = this.#acceptAll();
  }

  /**
   * Listens; port 0 takes a free port.
   *
   * @throws {Error} `cannot serve metrics on 127.0.0.1:9100: …` when the system refuses
   */
  static open(endpoint: HttpEndpoint, options: HttpServerOptions): HttpServer {
    return new HttpServer(endpoint, options);
  }

  /** Stops listening; answers that are still on their way are cut off. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#listener.close();
    await this.#accepting;
    for (const client of [...this.#clients]) client.close();
    this.#spare[Symbol.dispose]();
  }

  async #acceptAll(): Promise<void> {
    const { signal } = this.#closing;
    const budget = new TurnBudget(ACCEPT_TURN);
    let pause = 0;
    while (!signal.aborted) {
      const turn = budget.spend();
      if (turn) await turn;
      try {
        // A spare descriptor is given up only where there is no other: somebody else could take it in between.
        const socket = await this.#listener.accept();
        this.#spare.lend();
        this.#welcome(socket);
        pause = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (codeOf(error) !== "EMFILE" && codeOf(error) !== "ENFILE") continue;
        pause = await this.#acceptWithSpare(pause);
      }
    }
  }

  /** Accepts with a descriptor that was kept for it; returns how long to wait the next time that fails. */
  async #acceptWithSpare(pause: number): Promise<number> {
    this.#spare.lend();
    try {
      this.#welcome(await this.#listener.accept());
      return 0;
    } catch {
      this.#spare.takeBack();
      const { first, last } = PAUSE;
      await delay(pause, { signal: this.#closing.signal }).catch(() => {});
      return Math.min(Math.max(pause * 2, first), last);
    }
  }

  /** One more client. Where there are too many, whoever has kept us waiting longest makes room. */
  #welcome(socket: ByteStream): void {
    const client = new HttpClient(socket, {
      timeout: this.#options.timeout ?? TIMEOUT,
      closed: () => {
        this.#clients.delete(client);
        this.#spare.takeBack();
      },
      gaveUp: () => this.#count(),
    });
    this.#clients.add(client);
    if (this.#clients.size > this.maxConnections) this.#makeRoom(client);
    if (this.#clients.has(client)) this.#tasks.run(this.#begin(client));
  }

  /** Whoever is being answered stays; of the others, the one that came last may be the one to go. */
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
      client.carryOver(this.#stage ? await this.#stage(socket, context) : socket);
    } catch {
      // No TLS: the client was told by an alert.
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
