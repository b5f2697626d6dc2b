/**
 * The stage that reads a PROXY protocol header.
 *
 * @module
 */
import { isReset } from "./errors.ts";
import { ProxyHeaderError, ProxyHeaderReader, type ReadHeader } from "./proxy_protocol.ts";
import { withPrefix } from "./prefix.ts";
import { closeOnTimeout } from "./read_timeout.ts";
import type { StageContext } from "./stage.ts";
import type { ByteStream } from "./stream.ts";

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

async function readHeader(
  socket: ByteStream,
  signal: AbortSignal,
): Promise<ReadHeader> {
  using limit = closeOnTimeout(socket, {
    signal,
    timeout: HEADER_TIMEOUT,
    late: "no whole PROXY header in time",
  });
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

function interruption(error: unknown): string {
  return isReset(error)
    ? "reset before a whole PROXY header"
    : "broken before a whole PROXY header";
}
