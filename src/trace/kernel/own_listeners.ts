/**
 * Checks whether a socket of this machine listens on an address.
 *
 * @module
 */
import type { KernelSocket } from "./parse_sockets.ts";
import { cacheTime, listeningSockets } from "./read_sockets.ts";

/** Whether the address is one of this machine's. */
export function isOwnAddress(address: string): boolean {
  return address.startsWith("127.") || address === "::1" ||
    Deno.networkInterfaces().some((device) => device.address === address);
}

/**
 * Whether the socket accepts connections to this address and port, as far as /proc shows: it does
 * not show IPV6_V6ONLY and SO_BINDTODEVICE.
 */
export function isListenerOf(socket: KernelSocket, address: string, port: number): boolean {
  if (socket.state !== "LISTEN" || socket.localPort !== port) return false;
  const host = socket.local.slice(0, socket.local.lastIndexOf(":")).replaceAll(/[[\]]/g, "");
  return host === address || host === "::" || (host === "0.0.0.0" && !address.includes(":"));
}

/** Destinations that the kernel uses for a connect to the unspecified address. */
const CONNECT_TARGETS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/**
 * Whether a socket listens on an address; `undefined` if the address is not local or the tables
 * cannot be read.
 */
export async function hasListener(address: string, port: number): Promise<boolean | undefined> {
  if (!await hasPermissions()) return undefined;
  const own = CONNECT_TARGETS[address] ?? address;
  if (!isOwnAddress(own)) return undefined;
  return (await recentListeners())?.some((socket) => isListenerOf(socket, own, port));
}

/** Listening sockets, read or being read, and until when they are valid. */
interface CachedListeners {
  until: number;
  readonly sockets: Promise<readonly KernelSocket[] | undefined>;
}

let cached: CachedListeners | undefined;

/** The listening sockets, cached. */
function recentListeners(): CachedListeners["sockets"] {
  const start = performance.now();
  if (cached !== undefined && start < cached.until) return cached.sockets;
  const entry: CachedListeners = { until: Infinity, sockets: read() };
  async function read(): CachedListeners["sockets"] {
    const sockets = await listeningSockets();
    const end = performance.now();
    entry.until = end + cacheTime(end - start);
    return sockets;
  }
  cached = entry;
  return entry.sockets;
}

/** Whether the permissions are granted, without a prompt. */
async function hasPermissions(): Promise<boolean> {
  const needed = [
    { name: "sys", kind: "networkInterfaces" },
    { name: "read", path: "/proc/net/tcp" },
  ] as const;
  const states = await Promise.all(needed.map((each) => Deno.permissions.query(each)));
  return states.every(({ state }) => state === "granted");
}
