/**
 * Clients that come through a proxy, which announces who they are.
 *
 * @module
 */
import { Acl } from "./acl.ts";
import { type Address, isUnix } from "../endpoint/address.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { type ByteStream, wrap } from "../transport/stream.ts";
import { isReset } from "../transport/errors.ts";
import { readIp } from "../endpoint/ip.ts";
import {
  type ProxiedEnds,
  ProxyHeaderError,
  ProxyHeaderReader,
} from "../transport/proxy_protocol.ts";

/** A client that a proxy has announced. */
export interface ProxiedStream {
  /** What it sends comes from here, without the header. */
  readonly stream: ByteStream;
  /** The ends that its conversation has; `undefined` where the header says to keep the proxy's own. */
  readonly ends: ProxiedEnds | undefined;
}

/** How long a header may take, in milliseconds; the specification asks for at least three seconds. */
const HEADER_TIMEOUT = 3_000;

/** Who trusts nobody in particular trusts this machine. */
const THIS_MACHINE = ["127.0.0.0/8", "::1"];

/** The proxies that may say whom they speak for. Whoever else comes is turned away. */
export class TrustedProxies {
  readonly #trusted: Acl;

  /** Trusts these addresses and networks; where none is named, this machine alone. */
  constructor(networks: readonly string[]) {
    this.#trusted = new Acl({ allow: networks.length > 0 ? networks : THIS_MACHINE });
  }

  /** Whether this sender may say whom it speaks for; whoever reaches a Unix socket may. */
  trusts(sender: Address): boolean {
    return isUnix(sender) || this.#trusted.refusal(readIp(sender.hostname)) === undefined;
  }
}

/**
 * Reads the header that has to come first. The stream stays the caller's to close.
 *
 * @throws {ProxyHeaderError} which says why the sender is turned away
 */
export async function readProxyHeader(
  stream: ByteStream,
  signal: AbortSignal,
): Promise<ProxiedStream> {
  const { ends, rest } = await readHeader(stream, signal);
  return { stream: withFront(stream, rest), ends };
}

const tasks = new TaskScope("ending a wait for a PROXY header", { without: "it goes on" });

async function readHeader(
  socket: ByteStream,
  signal: AbortSignal,
): Promise<NonNullable<ReturnType<ProxyHeaderReader["push"]>>> {
  using limit = closeWhenLate(socket, signal);
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

/** Closes the socket when the header takes too long or the outlet stops, unless disposed before. */
function closeWhenLate(
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

/** The socket with bytes put back in front of what it has still to read. */
function withFront(socket: ByteStream, bytes: Uint8Array): ByteStream {
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
