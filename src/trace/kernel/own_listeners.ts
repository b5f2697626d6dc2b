/**
 * Whether a connection to one of this machine's own addresses finds a socket that listens.
 *
 * @module
 */
import type { KernelSocket } from "./parse_sockets.ts";
import { listeningSockets } from "./read_sockets.ts";

/** Whether the address is one of this machine's. */
export function isOwnAddress(address: string): boolean {
  return address.startsWith("127.") || address === "::1" ||
    Deno.networkInterfaces().some((device) => device.address === address);
}

/**
 * Whether the socket takes connections to this address and port, as far as /proc tells: not whether
 * it takes those of IPv4 on `::` (IPV6_V6ONLY), or those of one interface only (SO_BINDTODEVICE).
 */
export function isListenerOf(socket: KernelSocket, address: string, port: number): boolean {
  if (socket.state !== "LISTEN" || socket.localPort !== port) return false;
  const host = socket.local.slice(0, socket.local.lastIndexOf(":")).replaceAll(/[[\]]/g, "");
  return host === address || host === "::" || (host === "0.0.0.0" && !address.includes(":"));
}

/** Where the kernel connects to when it is told to connect to any address. */
const CONNECT_TARGETS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/**
 * Whether something listens at an address; `undefined` where it is none of this machine's, or where
 * the kernel cannot be asked.
 */
export async function hasListener(address: string, port: number): Promise<boolean | undefined> {
  if (!await hasPermissions()) return undefined;
  const own = CONNECT_TARGETS[address] ?? address;
  if (!isOwnAddress(own)) return undefined;
  return (await recentListeners())?.some((socket) => isListenerOf(socket, own, port));
}

/** How long what the kernel said is good enough, in milliseconds. */
const MIN_CACHE_TIME = 50;

/** Whoever is refused very often asks the kernel no more than a tenth of the time: it takes milliseconds. */
const CACHE_TIME_FACTOR = 10;

/** What the kernel said last, or is saying. */
interface CachedListeners {
  until: number;
  readonly sockets: Promise<readonly KernelSocket[] | undefined>;
}

let cached: CachedListeners | undefined;

/** The sockets that listen, as of a moment ago. */
function recentListeners(): CachedListeners["sockets"] {
  const start = performance.now();
  if (cached !== undefined && start < cached.until) return cached.sockets;
  const look: CachedListeners = { until: Infinity, sockets: read() };
  async function read(): CachedListeners["sockets"] {
    const sockets = await listeningSockets();
    const end = performance.now();
    look.until = end + Math.max(MIN_CACHE_TIME, (end - start) * CACHE_TIME_FACTOR);
    return sockets;
  }
  cached = look;
  return look.sockets;
}

/** Whether it can be looked up without asking a person for a permission. */
async function hasPermissions(): Promise<boolean> {
  const needed = [
    { name: "sys", kind: "networkInterfaces" },
    { name: "read", path: "/proc/net/tcp" },
  ] as const;
  const states = await Promise.all(needed.map((each) => Deno.permissions.query(each)));
  return states.every(({ state }) => state === "granted");
}
