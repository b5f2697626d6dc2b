/**
 * TCP connections with an address or a port of one's own choice, which `Deno.connect` cannot have.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { InternetAddress } from "../../endpoint/address.ts";
import type { Source } from "../../endpoint/source.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { codeOf } from "../errors.ts";
import type { ByteStream } from "../stream.ts";
import { FlowControl } from "../tls/flow_control.ts";
import { StreamSocket } from "../tls/node_stream.ts";
import { SourceError } from "../source_error.ts";

const tasks = new TaskScope("a TCP connection", {
  consequence: "that connection is closed",
});

/**
 * Connects from this source, with `TCP_NODELAY` and keep-alive on.
 * @throws {SourceError} what is wrong with the source
 */
export async function connectFrom(
  address: InternetAddress,
  { source, signal }: { readonly source: Source; readonly signal: AbortSignal },
): Promise<ByteStream> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    host: address.hostname,
    port: address.port,
    ...source.hostname === undefined ? {} : { localAddress: source.hostname },
    ...source.port === undefined ? {} : { localPort: source.port },
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
  });
  const abort = tasks.guard(() => reject(signal.reason));
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  socket.once("connect", resolve);
  socket.once("error", tasks.guard((error: Error) => reject(explained(error, source))));
  try {
    await promise;
    return streamOf(socket);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** An error of bind(2) is about the source. */
function explained(error: Error, source: Source): Error {
  return error.message.startsWith("bind ") ? new SourceError(error, source) : error;
}

function streamOf(socket: Socket): ByteStream {
  const under = {
    localAddr: addrOf(socket.localAddress, socket.localPort),
    remoteAddr: addrOf(socket.remoteAddress, socket.remotePort),
    // The stream above has the errors of the socket.
    write: () => Promise.resolve(0),
    setNoDelay: (on?: boolean) => void socket.setNoDelay(on),
    setKeepAlive: (on?: boolean) => void socket.setKeepAlive(on),
  };
  return new StreamSocket(socket, {
    under,
    flowControl: new PausingFlow(socket),
    explainError: asDenoError,
  });
}

function addrOf(hostname = "", port = 0): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

/** Node's errors as the classes by which a reset is recognized. */
function asDenoError(error: Error): Error {
  switch (codeOf(error)) {
    case "ECONNRESET":
      return new Deno.errors.ConnectionReset(error.message);
    case "EPIPE":
      return new Deno.errors.BrokenPipe(error.message);
    default:
      return error;
  }
}

/** The high-water mark in bytes. */
const HIGH_WATER_MARK = 256 * 1024;

/** Pauses the socket while too much of what it received waits to be read. */
class PausingFlow extends FlowControl {
  readonly #socket: Socket;
  #queued = 0;

  constructor(socket: Socket) {
    super({ belowTls: false });
    this.#socket = socket;
  }

  override add(bytes: number): void {
    this.#queued += bytes;
    if (this.#queued >= HIGH_WATER_MARK) this.#socket.pause();
  }

  override take(bytes: number): void {
    const isPaused = this.#queued >= HIGH_WATER_MARK;
    this.#queued -= bytes;
    if (isPaused && this.#queued < HIGH_WATER_MARK) this.#socket.resume();
  }
}
