/**
 * The descriptor of a TCP socket. Deno tells nobody of it, so it is looked for among those of the process by the
 * socket's two addresses.
 *
 * @module
 */
import { bytesOfIp, type Ip, readExactIp } from "../endpoint/ip.ts";
import { type Libc, libc } from "./libc.ts";

/** The ends of a connection, in the words of `Deno.Conn`. */
export type SocketEnds = Pick<Deno.Conn, "localAddr" | "remoteAddr">;

/** A socket as the C library knows it. */
export interface FoundSocket {
  /** The C library. */
  readonly system: Libc;
  /** The socket's descriptor. */
  readonly descriptor: number;
}

/**
 * The socket with these ends; `undefined` where the system has no such thing (Unix sockets, other systems than Linux,
 * without the right to call foreign functions), and where so many were asked for that finding the sockets would hold
 * up the rest.
 */
export function findSocket({ localAddr, remoteAddr }: SocketEnds): FoundSocket | undefined {
  if (localAddr.transport !== "tcp" || remoteAddr.transport !== "tcp") return undefined;
  const system = libc();
  if (!system || !mayLook()) return undefined;
  const descriptor = find(system, { local: endOf(localAddr), remote: endOf(remoteAddr) });
  return descriptor === undefined ? undefined : { system, descriptor };
}

/**
 * Descriptors that are looked at in a second, which takes some fifty milliseconds of it: who resets without end does
 * not hold up the others.
 */
const LOOKS_A_SECOND = 200_000;

let looks = 0;
let second = 0;

function mayLook(): boolean {
  const now = Math.floor(performance.now() / 1_000);
  if (now !== second) looks = 0;
  second = now;
  return looks < LOOKS_A_SECOND;
}

/** One end of a TCP connection, ready to be compared with a `struct sockaddr`. */
interface End {
  readonly port: number;
  /** Its address's bytes, the least significant last. */
  readonly bytes: readonly number[];
}

function endOf({ hostname, port }: Deno.NetAddr): End {
  const ip: Ip = readExactIp(hostname.replace(/%.*/, ""));
  return { port, bytes: bytesOfIp(ip) };
}

/** Where the last one was found: whoever comes and goes quickly is given the same few descriptors. */
let latest = 3;

/** The descriptor of the socket with these ends, looked for from where the last one was, in both directions. */
function find(
  { getsockname, getpeername }: Libc,
  { local, remote }: { local: End; remote: End },
): number | undefined {
  const address = new Uint8Array(28);
  const length = new Uint32Array(1);
  const has = (end: End, ask: Libc["getsockname"], descriptor: number) => {
    length[0] = address.length;
    return ask(descriptor, address, length) === 0 && isAt(address, end);
  };
  const isIt = (descriptor: number) =>
    has(remote, getpeername, descriptor) && has(local, getsockname, descriptor);
  const end = descriptorSlots();
  for (let step = 0; latest - step >= 0 || latest + step < end; step++) {
    for (const descriptor of step === 0 ? [latest] : [latest - step, latest + step]) {
      if (descriptor < 0 || descriptor >= end) continue;
      looks++;
      if (!isIt(descriptor)) continue;
      return latest = descriptor;
    }
  }
}

/** How many slots for descriptors the kernel keeps for this process: none is beyond. */
function descriptorSlots(): number {
  try {
    // Asked first, because reading would ask whoever sits at a terminal.
    if (Deno.permissions.querySync({ name: "read" }).state !== "granted") return SLOTS_AT_MOST;
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/^FDSize:\s+(\d+)/m.exec(status)?.[1] ?? SLOTS_AT_MOST);
  } catch {
    return SLOTS_AT_MOST;
  }
}

/** Where the kernel may not be asked. */
const SLOTS_AT_MOST = 65_536;

const AF_INET = 2;

/** Whether a `struct sockaddr_in` or `sockaddr_in6` is this end's. */
function isAt(address: Uint8Array, { port, bytes }: End): boolean {
  if (address[2] !== port >> 8 || address[3] !== (port & 0xff)) return false;
  const family = new Uint16Array(address.buffer, 0, 1)[0];
  const start = family === AF_INET ? 4 : 8;
  if (bytes.length !== (family === AF_INET ? 4 : 16)) return false;
  return bytes.every((byte, at) => address[start + at] === byte);
}
