/**
 * Converts a Node HTTP request to a `Request`, and writes the `Response` with backpressure.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { once } from "node:events";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { HttpClient } from "./http_client.ts";

/** The size of one write in bytes. */
const PIECE = 64 * 1024;

const tasks = new TaskScope("an HTTP answer", { consequence: "that response is truncated" });

/** Options of {@linkcode answerOver}. */
export interface AnswerOptions {
  /** The client. */
  readonly client: HttpClient;
  /** The scheme of the request's URL. */
  readonly scheme: "http" | "https";
  /** The request handler. It must not reject. */
  answer(request: Request): Promise<Response>;
}

/** Handles one request. */
export async function answerOver(
  { message, response }: { message: IncomingMessage; response: ServerResponse },
  { client, scheme, answer }: AnswerOptions,
): Promise<void> {
  const disconnected = new AbortController();
  client.begin({ waits: hasBody(message) });
  response.on(
    "close",
    tasks.guard(() => {
      disconnected.abort();
      client.finish();
    }),
  );
  message.on("error", tasks.guard(() => disconnected.abort()));
  message.on("end", tasks.guard(() => void (disconnected.signal.aborted || client.work())));
  const url = urlOf(message, scheme);
  const answered = typeof url === "string"
    ? new Response(`${url}\n`, { status: 400 })
    : await answer(requestOf(message, url));
  await write(answered, {
    response,
    client,
    signal: disconnected.signal,
    head: message.method === "HEAD",
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The URL of a request, or what is wrong with the target (RFC 9112, section 3.2). */
function urlOf(
  { url = "/", rawHeaders, httpVersion }: IncomingMessage,
  scheme: string,
): URL | string {
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && /^host$/i.test(rawHeaders[i - 1]!));
  if (hosts.length > 1) return "more than one Host header";
  const [host] = hosts;
  if (host === undefined && httpVersion !== "1.0") return "no Host header";
  const isAbsolute = !url.startsWith("/");
  const base = URL.canParse(`${scheme}://${host ?? "localhost"}`);
  if (!base || !URL.canParse(isAbsolute ? url : `${scheme}://${host ?? "localhost"}${url}`)) {
    return "the target or the Host header is no URL's";
  }
  if (!isAbsolute) return new URL(`${scheme}://${host ?? "localhost"}${url}`);
  const target = new URL(url);
  if (host !== undefined && target.host === new URL(`${scheme}://${host}`).host) return target;
  return "the target is of another host than the Host header says";
}

function requestOf(message: IncomingMessage, url: URL): Request {
  const headers = new Headers();
  const { rawHeaders, method = "GET" } = message;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  const body = hasBody(message) ? ReadableStream.from(bytesOf(message)) : null;
  return new Request(url, { method, headers, body });
}

/** The body. If reading stops early, the request can still be answered. */
async function* bytesOf(message: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    yield new Uint8Array(chunk);
  }
}

/** Writes a response in pieces. When the client disconnects, the response's body is cancelled. */
async function write(
  answer: Response,
  { response, client, signal, head }: {
    response: ServerResponse;
    client: HttpClient;
    signal: AbortSignal;
    head: boolean;
  },
): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) response.appendHeader(name, value);
  const reader = answer.body?.getReader();
  const cancel = tasks.guard(() => reader?.cancel().catch(() => {}));
  signal.addEventListener("abort", cancel);
  try {
    if (head || signal.aborted) await reader?.cancel();
    else if (reader) await writeBody(reader, { response, client, signal });
    response.end();
  } catch {
    // The body failed or its stream was dropped: the client must see that the response is
    // incomplete.
    response.destroy();
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

async function writeBody(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { response, client, signal }: {
    response: ServerResponse;
    client: HttpClient;
    signal: AbortSignal;
  },
): Promise<void> {
  response.flushHeaders();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    for (let at = 0; at < part.value.length; at += PIECE) {
      if (response.write(part.value.subarray(at, at + PIECE))) continue;
      client.wait();
      await once(response, "drain", { signal });
      client.work();
    }
  }
}
