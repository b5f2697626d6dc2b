/**
 * Finds the descriptor of a TCP or UDP socket. Deno does not expose it, so the process's descriptors
 * are searched for the socket's addresses.
 *
 * @module
 */
import { bytesOfIp, type Ip, readExactIp } from "../endpoint/ip.ts";
import { type Libc, libc } from "./libc.ts";

/** The two addresses of a connection, as in `Deno.Conn`. */
export type SocketEnds = Pick<Deno.Conn, "localAddr" | "remoteAddr">;

/** A socket for calls of the C library. */
export interface FoundSocket {
  /** The C library. */
  readonly system: Libc;
  /** The socket's descriptor. */
  readonly descriptor: number;
}

/**
 * Finds the socket with these addresses. `undefined` if the system cannot (Unix sockets, other
 * systems than Linux, no permission for FFI), and above a limit of searches a second.
 */
export function findSocket(ends: SocketEnds): FoundSocket | undefined {
  return mayLook() ? findConnection(ends) : undefined;
}

/** The same without a limit of searches, for what is asked for once a connection. */
export function findConnection(
  { localAddr, remoteAddr }: SocketEnds,
): FoundSocket | undefined {
  if (localAddr.transport !== "tcp" || remoteAddr.transport !== "tcp") return undefined;
  const system = libc();
  if (!system) return undefined;
  const ask = asker();
  const isRemote = ask(system.getpeername, endOf(remoteAddr));
  const isLocal = ask(system.getsockname, endOf(localAddr));
  const descriptor = find((descriptor) => isRemote(descriptor) && isLocal(descriptor));
  return descriptor === undefined ? undefined : { system, descriptor };
}

/** The same for a UDP socket, which has one address only. */
export function findDatagramSocket(local: Deno.NetAddr): FoundSocket | undefined {
  const system = libc();
  if (!system || !mayLook()) return undefined;
  const isLocal = asker()(system.getsockname, endOf(local));
  const type = new Int32Array(1);
  const length = new Uint32Array(1);
  const isDatagram = (descriptor: number) => {
    length[0] = type.byteLength;
    return system.getsockopt(descriptor, SOL_SOCKET, SO_TYPE, type, length) === 0 &&
      type[0] === SOCK_DGRAM;
  };
  const descriptor = find((descriptor) => isLocal(descriptor) && isDatagram(descriptor));
  return descriptor === undefined ? undefined : { system, descriptor };
}

/** Constants of socket(7) on Linux. */
export const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SOCK_DGRAM = 2;

/**
 * The maximum number of descriptors that are examined in a second, about 50 ms of CPU: many resets
 * must not hold up other connections.
 */
const MAX_CHECKS_PER_SECOND = 200_000;

let checks = 0;
let second = 0;

function mayLook(): boolean {
  const now = Math.floor(performance.now() / 1_000);
  if (now !== second) checks = 0;
  second = now;
  return checks < MAX_CHECKS_PER_SECOND;
}

/** One end of a TCP connection, for comparing with a `struct sockaddr`. */
interface End {
  readonly port: number;
  /** The address in network byte order. */
  readonly bytes: readonly number[];
}

function endOf({ hostname, port }: Deno.NetAddr): End {
  const ip: Ip = readExactIp(hostname.replace(/%.*/, ""));
  return { port, bytes: bytesOfIp(ip) };
}

/** The last descriptor that was found: short connections reuse the same few numbers. */
let latest = 3;

/** Compares one of a descriptor's addresses, as `getsockname` or `getpeername` tells it. */
function asker(): (ask: Libc["getsockname"], end: End) => (descriptor: number) => boolean {
  const address = new Uint8Array(28);
  const length = new Uint32Array(1);
  return (ask, end) => (descriptor) => {
    length[0] = address.length;
    return ask(descriptor, address, length) === 0 && isAt(address, end);
  };
}

/** Searches for a descriptor in both directions from the last one found. */
function find(isIt: (descriptor: number) => boolean): number | undefined {
  const end = descriptorTableSize();
  for (let step = 0; latest - step >= 0 || latest + step < end; step++) {
    for (const descriptor of step === 0 ? [latest] : [latest - step, latest + step]) {
      if (descriptor < 0 || descriptor >= end) continue;
      checks++;
      if (!isIt(descriptor)) continue;
      return latest = descriptor;
    }
  }
}

/** The listening sockets at this address, of all threads. */
export function findListeners(address: Deno.NetAddr): FoundSocket[] {
  const system = libc();
  if (!system) return [];
  const local = endOf(address);
  const bytes = new Uint8Array(28);
  const length = new Uint32Array(1);
  const isAtAddress = (descriptor: number) => {
    length[0] = bytes.length;
    return system.getsockname(descriptor, bytes, length) === 0 && isAt(bytes, local);
  };
  const isConnected = (descriptor: number) => {
    length[0] = bytes.length;
    return system.getpeername(descriptor, bytes, length) === 0;
  };
  return Array.from({ length: descriptorTableSize() }, (_, descriptor) => descriptor)
    .filter((descriptor) => isAtAddress(descriptor) && !isConnected(descriptor))
    .map((descriptor) => ({ system, descriptor }));
}

/** The size of this process's descriptor table (`FDSize`): no descriptor is beyond it. */
function descriptorTableSize(): number {
  try {
    // Checked first: reading without permission would prompt on a terminal.
    if (Deno.permissions.querySync({ name: "read" }).state !== "granted") return DEFAULT_TABLE_SIZE;
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/^FDSize:\s+(\d+)/m.exec(status)?.[1] ?? DEFAULT_TABLE_SIZE);
  } catch {
    return DEFAULT_TABLE_SIZE;
  }
}

/** The assumed size if `/proc` cannot be read. */
const DEFAULT_TABLE_SIZE = 65_536;

const AF_INET = 2;

/** Whether a `struct sockaddr_in` or `sockaddr_in6` has this end's address. */
function isAt(address: Uint8Array, { port, bytes }: End): boolean {
  if (address[2] !== port >> 8 || address[3] !== (port & 0xff)) return false;
  const family = new Uint16Array(address.buffer, 0, 1)[0];
  const start = family === AF_INET ? 4 : 8;
  if (bytes.length !== (family === AF_INET ? 4 : 16)) return false;
  return bytes.every((byte, at) => address[start + at] === byte);
}
