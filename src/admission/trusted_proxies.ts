/**
 * Clients that come through a proxy, which announces who they are.
 *
 * @module
 */
import { Acl } from "./acl.ts";
import { type Address, addressOf, isUnix, peerOf } from "../endpoint/address.ts";
import { type ByteStream, wrap } from "../transport/stream.ts";
import { isReset } from "../transport/errors.ts";
import { readIp } from "../endpoint/ip.ts";
import { ProxyHeaderError, ProxyHeaderReader } from "../transport/proxy_protocol.ts";

/** A client at the door: its socket, and the two ends that its conversation has. */
export interface AcceptedStream {
  /** What it sends comes from here, without the header. */
  readonly socket: ByteStream;
  /** The client's end. */
  readonly peer: Address;
  /** The end that it connected to. */
  readonly local: Address;
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

  /**
   * Reads the header that has to come first. The socket stays the caller's to close.
   *
   * @throws {ProxyHeaderError} which says why the sender is turned away
   */
  async readHeader(socket: ByteStream, signal: AbortSignal): Promise<AcceptedStream> {
    const [sender, local] = [peerOf(socket), addressOf(socket.localAddr)];
    if (!this.#trusts(sender)) throw new ProxyHeaderError("not a trusted proxy");
    const { ends, rest } = await readHeader(socket, signal);
    return {
      socket: withFront(socket, rest),
      peer: ends?.source ?? sender,
      local: ends?.destination ?? local,
    };
  }

  #trusts(sender: Address): boolean {
    return isUnix(sender) || this.#trusted.refusal(readIp(sender.hostname)) === undefined;
  }
}

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
    reason = why;
    socket.close();
  };
  const timer = setTimeout(() => close("no whole PROXY header in time"), HEADER_TIMEOUT);
  const stop = () => close("server closed");
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
