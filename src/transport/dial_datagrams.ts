/**
 * Dialling over UDP: a socket for the datagrams of one peer. `dial.ts` is its counterpart for
 * streams.
 *
 * UDP tells of a closed port only by an ICMP message, which the kernel passes on to sockets that are
 * connected (udp(7)). Deno's are not, so on Linux, with permission for FFI, the socket is connected
 * with libc.
 *
 * @module
 */
import { canonicalHost, formatAddress, overUdp, type UdpAddress } from "../endpoint/address.ts";
import { bytesOfIp, readExactIp } from "../endpoint/ip.ts";
import type { LocalEnd, Source } from "../endpoint/source.ts";
import { findDatagramSocket, type FoundSocket, SOL_SOCKET } from "./descriptor.ts";
import { lookUp } from "./dial_address.ts";
import { codeOf, explain } from "./errors.ts";
import { SourceError } from "./source_error.ts";

/** A socket for the datagrams of one peer. */
export interface DatagramConnection {
  /** The peer's address. */
  readonly peer: UdpAddress;
  /** The local port. */
  readonly localPort: number;
  /** Whether the kernel tells of an ICMP port unreachable. */
  readonly seesUnreachable: boolean;
  /**
   * Sends a datagram. Rejects with ECONNREFUSED if an earlier one was answered by an ICMP port
   * unreachable; it is not sent then.
   */
  send(datagram: Uint8Array): Promise<void>;
  /** Resolves to the next datagram of the peer, in `buffer`. Others are discarded. */
  receive(buffer: Uint8Array): Promise<Uint8Array>;
  /** Whether an ICMP port unreachable has come since the last call. */
  takeUnreachable(): boolean;
  /** Closes the socket. A pending receive rejects. */
  close(): void;
}

/** Options of {@linkcode dialDatagrams}. */
export interface DatagramDialOptions {
  /** The address, the port or the version of IP to come from; the system chooses by default. */
  readonly from?: LocalEnd | undefined;
  /** Aborts the name look-up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a socket for the datagrams of one peer. Nothing is sent.
 * @throws {Error} which says what was tried and what failed
 */
export async function dialDatagrams(
  target: UdpAddress,
  { signal, from }: DatagramDialOptions = {},
): Promise<DatagramConnection> {
  try {
    const { hostname } = target;
    const hosts = await lookUp(hostname, { ...signal ? { signal } : {}, from });
    // Of the loopback addresses, most services have this one.
    const host = hosts.find((host) => host === "127.0.0.1") ?? hosts[0]!;
    return open({ ...target, hostname: host }, from);
  } catch (cause) {
    const reason = cause instanceof SourceError ? cause.message : explain(cause);
    throw new Error(`cannot send to ${formatAddress(target)}: ${reason}`, { cause });
  }
}

function open(peer: UdpAddress, from: Source | undefined): DatagramConnection {
  const socket = bind(peer, from);
  const local = socket.addr as Deno.NetAddr;
  const found = connectSocket(local, peer);
  const to: Deno.NetAddr = overUdp(peer);
  const isPeer = ({ hostname, port }: Deno.NetAddr) =>
    port === peer.port && canonicalHost(hostname) === peer.hostname.replace(/%.*/, "");
  return {
    peer,
    localPort: local.port,
    seesUnreachable: found !== undefined,
    async send(datagram) {
      await socket.send(datagram, to);
    },
    async receive(buffer) {
      for (;;) {
        const [datagram, from] = await socket.receive(buffer);
        // The kernel filters the senders of a connected socket.
        if (found || isPeer(from as Deno.NetAddr)) return datagram;
      }
    },
    takeUnreachable: () => found !== undefined && pendingError(found) === ECONNREFUSED,
    close: () => socket.close(),
  };
}

/**
 * A socket of the peer's version of IP.
 * @throws {SourceError} what is wrong with the source
 */
function bind(peer: UdpAddress, { hostname, port }: Source = {}): Deno.DatagramConn {
  const wildcard = peer.hostname.includes(":") ? "::" : "0.0.0.0";
  try {
    return Deno.listenDatagram({
      transport: "udp",
      hostname: hostname ?? wildcard,
      port: port ?? 0,
    });
  } catch (error) {
    if (hostname === undefined && port === undefined) throw error;
    throw new SourceError(error, { transport: "udp", hostname, port });
  }
}

/** Whether the error is an ICMP port unreachable, as a socket reports it. */
export function isUnreachable(error: unknown): boolean {
  return codeOf(error) === "ECONNREFUSED";
}

/** Constants of socket(7) and errno(3) on Linux. */
const SO_ERROR = 4;
const ECONNREFUSED = 111;
const AF_INET = 2;
const AF_INET6 = 10;

function pendingError({ system, descriptor }: FoundSocket): number {
  const error = new Int32Array(1);
  const length = Uint32Array.of(error.byteLength);
  system.getsockopt(descriptor, SOL_SOCKET, SO_ERROR, error, length);
  return error[0]!;
}

/** Connects a socket to its peer; `undefined` if that is not possible. */
function connectSocket(local: Deno.NetAddr, peer: UdpAddress): FoundSocket | undefined {
  if (peer.hostname.includes("%")) return undefined;
  const found = findDatagramSocket(local);
  if (!found) return undefined;
  const address = socketAddress(peer);
  const isConnected = found.system.connect(found.descriptor, address, address.length) === 0;
  return isConnected ? found : undefined;
}

/** A `struct sockaddr_in` or `sockaddr_in6`. */
function socketAddress({ hostname, port }: UdpAddress): Uint8Array<ArrayBuffer> {
  const ip = readExactIp(hostname);
  const address = new Uint8Array(ip.version === 4 ? 16 : 28);
  new Uint16Array(address.buffer, 0, 1)[0] = ip.version === 4 ? AF_INET : AF_INET6;
  new DataView(address.buffer).setUint16(2, port);
  address.set(bytesOfIp(ip), ip.version === 4 ? 4 : 8);
  return address;
}
