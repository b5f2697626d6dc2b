/**
 * The console: a page, and the API that the page and other programs use, over one server.
 *
 * @module
 */
import { z } from "zod";
import project from "../../deno.json" with { type: "json" };
import type { EventBus } from "../events/event_bus.ts";
import { Ladders } from "../telemetry/ladders.ts";
import type { ServerHandle } from "../server/handle.ts";
import type { InternetAddress } from "../endpoint/address.ts";
import type { LiveConnection } from "../server/handle.ts";
import { HttpServer } from "../transport/http_server.ts";
import type { KeyPair } from "../transport/tls/key_pair.ts";
import { Credentials } from "./credentials.ts";
import { OutboundConnections } from "./outbound_connections.ts";
import { Guard } from "./guard.ts";
import { KernelView } from "./kernel_view.ts";
import { pageFile } from "./page_files.ts";
import { HttpError } from "./http_error.ts";
import { API, refused, Router, type Routes } from "./router.ts";
import { clientRoutes } from "./routes/clients.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { outletRoutes } from "./routes/outlets.ts";
import { roomRoutes } from "./routes/rooms.ts";
import { Streams } from "./routes/stream.ts";
import type { Asked } from "./request.ts";
import { ServerView } from "./server_view.ts";

/** The most connections, those of event streams among them. */
const MAX_CONNECTIONS = 64;

/** How the console is opened, and what it looks at. */
export interface ConsoleOptions {
  /** Where the facts are told. */
  readonly eventBus: EventBus;
  /** What has to be known to use it. */
  readonly token: string;
  /** A certificate and its key as PEM texts, where it is HTTPS. */
  readonly tls?: KeyPair | undefined;
  /** How long connections may go on when an outlet is stopped from here, in milliseconds. */
  drainTimeout(): number;
}

/** A console that is open until it is disposed. Nobody who does not know its token learns anything from it. */
export class Console implements AsyncDisposable {
  readonly #subject: ServerView;
  readonly #room = new OutboundConnections();
  #ladders: Ladders;
  readonly #streams: Streams;
  readonly #listener: HttpServer;
  readonly #guard: Guard;
  readonly #credentials: Credentials;
  readonly #open: Router;
  readonly #closed: Router;
  readonly #token: string;

  private constructor(address: InternetAddress, options: ConsoleOptions) {
    const { eventBus, token, tls, drainTimeout } = options;
    const layers = tls && { tls: { contents: () => ({ pair: tls }), alpn: ["http/1.1"] } };
    this.#listener = HttpServer.open({ address, layers }, {
      noun: "the console",
      maxConnections: MAX_CONNECTIONS,
      answer: (request) => this.#answer(request),
    });
    const bound = this.#listener.address;
    this.#guard = new Guard(bound, { scheme: tls ? "https" : "http" });
    this.#credentials = new Credentials(token, { port: bound.port, secure: tls !== undefined });
    this.#token = token;
    this.#subject = new ServerView(eventBus);
    this.#ladders = new Ladders(eventBus);
    const parts = {
      subject: this.#subject,
      room: this.#room,
      ladderOf: (connection: LiveConnection) => this.#ladders.of(connection),
      kernel: new KernelView(),
      maxConnections: this.#listener.maxConnections,
      drainTimeout,
    };
    this.#streams = new Streams(parts);
    this.#open = new Router(this.#sessionRoutes());
    this.#closed = new Router({
      "GET /server": () => describeServer(this.#subject),
      ...outletRoutes(parts),
      ...connectionRoutes(parts),
      ...clientRoutes(this.#room),
      ...roomRoutes(this.#subject),
      ...this.#streams.routes,
    });
  }

  /**
   * Opens the console; port 0 takes a free port.
   *
   * @throws {Error} `cannot serve the console on 127.0.0.1:7001: …` when the system refuses
   */
  static open(address: InternetAddress, options: ConsoleOptions): Console {
    return new Console(address, options);
  }

  /** Where the page is. */
  get origin(): string {
    return this.#guard.origin;
  }

  /** What is opened to be signed in. Whoever sees it can use the console. */
  get url(): string {
    return `${this.origin}/?token=${encodeURIComponent(this.#token)}`;
  }

  /** Looks at the server from now on, and at its handshakes where they are captured. */
  watch(server: ServerHandle, ladders?: Ladders): void {
    this.#subject.server = server;
    if (ladders) this.#ladders = ladders;
  }

  /** Closes it, hangs up on what was dialled from it, and forgets. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#streams[Symbol.dispose]();
    await this.#listener[Symbol.asyncDispose]();
    await this.#room[Symbol.asyncDispose]();
    this.#subject[Symbol.dispose]();
  }

  async #answer(request: Request): Promise<Response> {
    try {
      this.#guard.check(request);
      return this.#guard.seal(await this.#route(request));
    } catch (error) {
      return this.#guard.seal(refused(error));
    }
  }

  async #route(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const token = searchParams.get("token");
    if (pathname === "/" && token !== null) return this.#signIn(token);
    if (!pathname.startsWith("/api/")) return pageFile(request);
    if (!pathname.startsWith(`${API}/`)) throw new HttpError(404, whereApiIs(pathname));
    if (pathname === `${API}/session`) return await this.#open.answer(request);
    if (this.#credentials.admits(request)) return await this.#closed.answer(request);
    throw new HttpError(401, "sign in with the token that outlet printed when it started");
  }

  /** The URL with the token becomes one without, before anything can pass it on. */
  #signIn(token: string): Response {
    if (!this.#credentials.isToken(token)) {
      throw new HttpError(403, "the token is wrong: open the URL that outlet printed");
    }
    return new Response(null, {
      status: 303,
      headers: {
        location: "/",
        "set-cookie": this.#credentials.signIn,
        "cache-control": "no-store",
      },
    });
  }

  #sessionRoutes(): Routes {
    const withCookie = (cookie: string) =>
      new Response(null, { status: 204, headers: { "set-cookie": cookie } });
    return {
      "POST /session": async (asked: Asked) => {
        const { token } = await asked.body(z.strictObject({ token: z.string() }));
        if (!this.#credentials.isToken(token)) throw new HttpError(403, "the token is wrong");
        return withCookie(this.#credentials.signIn);
      },
      "DELETE /session": () => withCookie(this.#credentials.signOut),
    };
  }
}

/** What to ask instead of a path of before the API had a version, or of one that it does not have. */
function whereApiIs(pathname: string): string {
  const asked = pathname.replace(/^\/api\/(v\d+\/)?/, "");
  return `there is no ${pathname}: the API is at ${API}, see ${API}/${asked}`;
}

function describeServer(subject: ServerView): object {
  return {
    state: subject.state,
    version: project.version,
    deno: Deno.version.deno,
    host: Deno.hostname(),
    pid: Deno.pid,
  };
}
