/**
 * Serves `/metrics` for Prometheus and `/healthz` over HTTP.
 *
 * @module
 */
import type { InternetAddress } from "../endpoint/address.ts";
import { HttpServer } from "../transport/http_server.ts";
import type { Metrics } from "./metrics.ts";

/** The most connections; a scraper needs one. */
const MAX_CONNECTIONS = 16;

/**
 * Serves the metrics until the result is disposed; port 0 takes a free port.
 *
 * @throws {Error} `cannot serve metrics on 127.0.0.1:9100: …` where the system refuses
 */
export function serveMetrics(address: InternetAddress, metrics: Metrics): HttpServer {
  return HttpServer.open({ address }, {
    noun: "metrics",
    maxConnections: MAX_CONNECTIONS,
    answer: (request) => answer(request, metrics),
  });
}

function answer(request: Request, metrics: Metrics): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("use GET or HEAD\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  switch (new URL(request.url).pathname) {
    case "/metrics":
      return new Response(
        ReadableStream.from(metrics.pieces()).pipeThrough(new TextEncoderStream()),
        { headers: { "content-type": metrics.contentType } },
      );
    case "/healthz":
      return new Response(`${metrics.health}\n`, { status: metrics.health === "ok" ? 200 : 503 });
    default:
      return new Response("not found; try /metrics or /healthz\n", { status: 404 });
  }
}
