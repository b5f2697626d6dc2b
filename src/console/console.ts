/**
 * The console: a web page and its API over one server.
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
import type { ApiRequest } from "./request.ts";
import { ServerView } from "./server_view.ts";

/** The maximum number of connections, event streams included. */
const MAX_CONNECTIONS = 64;

/** Options of a {@linkcode Console}. */
export interface ConsoleOptions {
  /** The source of events. */
  readonly eventBus: EventBus;
  /** The token to sign in with. */
  readonly token: string;
  /** A certificate and its key (PEM), for HTTPS. */
  readonly tls?: KeyPair | undefined;
  /** How long connections may continue when an outlet is stopped, in milliseconds. */
  drainTimeout(): number;
}

/**
 * The console, open until it is disposed. Every request but signing in needs the token or the
 * cookie; the page itself is public.
 */
export class Console implements AsyncDisposable {
  readonly #view: ServerView;
  readonly #outbound = new OutboundConnections();
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
    this.#view = new ServerView(eventBus);
    this.#ladders = new Ladders(eventBus);
    const parts = {
      view: this.#view,
      outbound: this.#outbound,
      ladderOf: (connection: LiveConnection) => this.#ladders.of(connection),
      kernel: new KernelView(),
      maxConnections: this.#listener.maxConnections,
      drainTimeout,
    };
    this.#streams = new Streams(parts);
    this.#open = new Router(this.#sessionRoutes());
    this.#closed = new Router({
      "GET /server": () => describeServer(this.#view),
      ...outletRoutes(parts),
      ...connectionRoutes(parts),
      ...clientRoutes(this.#outbound),
      ...roomRoutes(this.#view),
      ...this.#streams.routes,
    });
  }

  /**
   * Opens the console; port 0 takes a free port.
   * @throws {Error} `cannot serve the console on 127.0.0.1:7001: …` if the system refuses
   */
  static open(address: InternetAddress, options: ConsoleOptions): Console {
    return new Console(address, options);
  }

  /** The bound address. */
  get address(): InternetAddress {
    return this.#listener.address;
  }

  /** The origin of the page. */
  get origin(): string {
    return this.#guard.origin;
  }

  /** The URL that signs in. It contains the token, so it is secret. */
  get url(): string {
    return `${this.origin}/?token=${encodeURIComponent(this.#token)}`;
  }

  /** Sets the server, and its handshakes if they are captured. */
  watch(server: ServerHandle, ladders?: Ladders): void {
    this.#view.server = server;
    if (ladders) this.#ladders = ladders;
  }

  /** Closes the console and its outbound connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#streams[Symbol.dispose]();
    await this.#listener[Symbol.asyncDispose]();
    await this.#outbound[Symbol.asyncDispose]();
    this.#view[Symbol.dispose]();
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
    if (!pathname.startsWith(`${API}/`)) throw new HttpError(404, apiHint(pathname));
    if (pathname === `${API}/session`) return await this.#open.answer(request);
    if (this.#credentials.admits(request)) return await this.#closed.answer(request);
    throw new HttpError(401, "sign in with the token that outlet printed when it started");
  }

  /** Redirects to a URL without the token, so that the browser does not pass it on. */
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
      "POST /session": async (request: ApiRequest) => {
        const { token } = await request.body(z.strictObject({ token: z.string() }));
        if (!this.#credentials.isToken(token)) throw new HttpError(403, "the token is wrong");
        return withCookie(this.#credentials.signIn);
      },
      "DELETE /session": () => withCookie(this.#credentials.signOut),
    };
  }
}

/** The error for a path without the API's version, or with another one. */
function apiHint(pathname: string): string {
  const rest = pathname.replace(/^\/api\/(v\d+\/)?/, "");
  return `there is no ${pathname}: the API is at ${API}, see ${API}/${rest}`;
}

function describeServer(view: ServerView): object {
  return {
    state: view.state,
    version: project.version,
    deno: Deno.version.deno,
    host: Deno.hostname(),
    pid: Deno.pid,
  };
}
