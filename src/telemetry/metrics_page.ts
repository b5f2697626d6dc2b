/**
 * The metrics over HTTP: `/metrics` for Prometheus, `/healthz` for whoever asks if the server is well.
 *
 * @module
 */
import type { InternetAddress } from "../endpoint/address.ts";
import { HttpServer } from "../transport/http_server.ts";
import type { Metrics } from "./metrics.ts";

/** The most connections: who scrapes has one. */
const MAX_CONNECTIONS = 16;

/**
 * Serves the metrics until what it returns is disposed; port 0 takes a free port.
 *
 * @throws {Error} `cannot serve metrics on 127.0.0.1:9100: …` when the system refuses
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
    return new Response("GET it\n", { status: 405, headers: { allow: "GET, HEAD" } });
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
      return new Response("here are /metrics and /healthz\n", { status: 404 });
  }
}
