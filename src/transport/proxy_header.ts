/**
 * The stage that reads a PROXY protocol header.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { isReset } from "./errors.ts";
import { ProxyHeaderError, ProxyHeaderReader, type ReadHeader } from "./proxy_protocol.ts";
import type { StageContext } from "./stage.ts";
import { type ByteStream, wrap } from "./stream.ts";

/**
 * The time limit of a header in milliseconds; the specification recommends at least three seconds.
 */
const HEADER_TIMEOUT = 3_000;

/**
 * Reads the header at the start of a connection and sets its addresses. After `LOCAL` or `UNKNOWN`,
 * the socket's own addresses stay.
 */
export async function readProxyHeader(
  stream: ByteStream,
  context: StageContext,
): Promise<ByteStream> {
  const { ends, rest } = await readHeader(stream, context.signal);
  context.peer = ends?.source ?? context.peer;
  context.local = ends?.destination ?? context.local;
  return withPrefix(stream, rest);
}

const tasks = new TaskScope("the timeout of a PROXY header", { consequence: "it goes on" });

async function readHeader(
  socket: ByteStream,
  signal: AbortSignal,
): Promise<ReadHeader> {
  using limit = closeOnTimeout(socket, signal);
  const reader = new ProxyHeaderReader();
  const buffer = new Uint8Array(512);
  for (;;) {
    const length = await socket.read(buffer).catch((error) => {
      throw new ProxyHeaderError(limit.reason ?? interruption(error));
    });
    if (length === null) throw new ProxyHeaderError("ended before a whole PROXY header");
    const header = reader.push(buffer.subarray(0, length));
    if (header) return header;
  }
}

/** Closes the socket when the header takes too long or the outlet stops, until disposed. */
function closeOnTimeout(
  socket: ByteStream,
  signal: AbortSignal,
): Disposable & { readonly reason: string | undefined } {
  let reason: string | undefined;
  const close = (why: string) => {
    if (reason !== undefined) return;
    reason = why;
    socket.close();
  };
  const late = tasks.guard(() => close("no whole PROXY header in time"));
  const timer = setTimeout(late, HEADER_TIMEOUT);
  const stop = tasks.guard(() => close("server closed"));
  signal.addEventListener("abort", stop);
  return {
    get reason() {
      return reason;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}

function interruption(error: unknown): string {
  return isReset(error)
    ? "reset before a whole PROXY header"
    : "broken before a whole PROXY header";
}

/** Puts bytes back in front of a socket's unread data. */
function withPrefix(socket: ByteStream, bytes: Uint8Array): ByteStream {
  let front = bytes;
  return wrap(socket, {
    read(buffer) {
      if (front.length === 0) return socket.read(buffer);
      const part = front.subarray(0, buffer.length);
      front = front.subarray(part.length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
  });
}
