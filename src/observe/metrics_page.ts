/**
 * The metrics over HTTP: `/metrics` for Prometheus, `/healthz` for whoever asks if the server is well.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatAddress, type InternetAddress } from "../socket/address.ts";
import { explain } from "../socket/faults.ts";
import type { Metrics } from "./metrics.ts";

/** The pause before the page is opened again after the system has closed it, in milliseconds. */
const PAUSE = { first: 50, last: 1_000 };

/** A page that is there until it is disposed, also when descriptors run out in between. */
export class MetricsPage implements AsyncDisposable {
  /** Where it is, with the real port. */
  readonly address: InternetAddress;
  readonly #metrics: Metrics;
  readonly #closing = new AbortController();
  readonly #closed: Promise<void>;

  private constructor(address: InternetAddress, { metrics }: { metrics: Metrics }) {
    this.#metrics = metrics;
    const server = this.#serve(address);
    this.address = { hostname: address.hostname, port: server.addr.port };
    this.#closed = this.#keepServing(server);
  }

  /**
   * Opens the page; port 0 takes a free port.
   *
   * @throws {Error} `cannot serve metrics on 127.0.0.1:9100: …` when the system refuses
   */
  static open(address: InternetAddress, options: { metrics: Metrics }): MetricsPage {
    try {
      return new MetricsPage(address, options);
    } catch (cause) {
      throw new Error(`cannot serve metrics on ${formatAddress(address)}: ${explain(cause)}`, {
        cause,
      });
    }
  }

  /** Closes the page. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#closed;
  }

  #serve({ hostname, port }: InternetAddress): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({
      hostname,
      port,
      signal: this.#closing.signal,
      onListen: () => {},
      onError: () => new Response("the metrics could not be collected\n", { status: 500 }),
    }, (request) => this.#answer(request));
  }

  /** Deno.serve ends when accept finds no free descriptor; it is then opened anew until that works. */
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

  async #answer(request: Request): Promise<Response> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("GET it\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    switch (new URL(request.url).pathname) {
      case "/metrics":
        return new Response(await this.#metrics.text(), {
          headers: { "content-type": this.#metrics.contentType },
        });
      case "/healthz": {
        const { health } = this.#metrics;
        return new Response(`${health}\n`, { status: health === "ok" ? 200 : 503 });
      }
      default:
        return new Response("here are /metrics and /healthz\n", { status: 404 });
    }
  }
}
