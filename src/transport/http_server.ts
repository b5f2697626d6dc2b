/**
 * HTTP that stays: `Deno.serve` ends when accept finds no free descriptor; here it is then opened anew.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatAddress, type InternetAddress } from "../endpoint/address.ts";
import { explain } from "./errors.ts";

/** What is served, and how. */
export interface HttpServerOptions {
  /** What is served, as an error calls it: `cannot serve metrics on …`. */
  readonly noun: string;
  /** Answers each request. */
  answer(request: Request): Promise<Response> | Response;
  /** A certificate and its key as PEM texts, where it is HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** The pause before it is opened again after the system has closed it, in milliseconds. */
const PAUSE = { first: 50, last: 1_000 };

/** An HTTP server that is there until it is disposed, also when descriptors run out in between. */
export class HttpServer implements AsyncDisposable {
  /** Where it is, with the real port. */
  readonly address: InternetAddress;
  readonly #options: HttpServerOptions;
  readonly #closing = new AbortController();
  readonly #closed: Promise<void>;

  private constructor(address: InternetAddress, options: HttpServerOptions) {
    this.#options = options;
    const server = this.#serve(address);
    this.address = { hostname: address.hostname, port: server.addr.port };
    this.#closed = this.#keepServing(server);
  }

  /**
   * Listens; port 0 takes a free port.
   *
   * @throws {Error} `cannot serve metrics on 127.0.0.1:9100: …` when the system refuses
   */
  static open(address: InternetAddress, options: HttpServerOptions): HttpServer {
    try {
      return new HttpServer(address, options);
    } catch (cause) {
      const place = formatAddress(address);
      throw new Error(`cannot serve ${options.noun} on ${place}: ${explain(cause)}`, { cause });
    }
  }

  /** Stops listening; answers that are still on their way are cut off. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#closed;
  }

  #serve({ hostname, port }: InternetAddress): Deno.HttpServer<Deno.NetAddr> {
    const { answer, tls, noun } = this.#options;
    return Deno.serve({
      ...tls,
      hostname,
      port,
      signal: this.#closing.signal,
      onListen: () => {},
      onError: () => new Response(`the ${noun} had a fault\n`, { status: 500 }),
    }, (request) => answer(request));
  }

  async #keepServing(first: Deno.HttpServer): Promise<void> {
    const { signal } = this.#closing;
    let server: Deno.HttpServer | undefined = first;
    let pause = PAUSE.first;
    while (!signal.aborted) {
      try {
        server ??= this.#serve(this.address);
        pause = PAUSE.first;
        await server.finished;
      } catch {
        // There is no descriptor for a client, or for the socket itself: both pass.
      }
      server = undefined;
      await delay(pause, { signal }).catch(() => {});
      pause = Math.min(pause * 2, PAUSE.last);
    }
  }
}
