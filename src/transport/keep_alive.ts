/**
 * The times of TCP keep-alive (tcp(7)), which Deno cannot set.
 *
 * @module
 */
import { findConnection, findListeners, type FoundSocket, type SocketEnds } from "./descriptor.ts";
import type { KeepAliveTimes } from "./keep_alive_options.ts";
import { libc } from "./libc.ts";

/** The level and the options of `setsockopt(2)` on Linux. */
const IPPROTO_TCP = 6;
const OPTION = { "keep-alive-idle": 4, "keep-alive-interval": 5, "keep-alive-count": 6 } as const;

/** Where Linux has its own times. */
const SYSTEM = {
  "keep-alive-idle": "tcp_keepalive_time",
  "keep-alive-interval": "tcp_keepalive_intvl",
  "keep-alive-count": "tcp_keepalive_probes",
} as const;

type Name = keyof typeof OPTION;

/** Why the times cannot be set here; `undefined` if they can. */
export function keepAliveFault(): string | undefined {
  return libc() ? undefined : "needs Linux and foreign functions (--allow-ffi)";
}

/**
 * Sets the times of a connection.
 * @throws {Error} that they could not be set
 */
export function setKeepAliveTimes(ends: SocketEnds, times: KeepAliveTimes): void {
  const socket = findConnection(ends);
  if (!socket) throw new Error("cannot set its keep-alive times: its descriptor was not found");
  for (const name of Object.keys(OPTION) as Name[]) {
    if (times[name] !== undefined) set(socket, { name, value: valueOf(name, times[name]) });
  }
}

/**
 * Sets the times of a listening socket, which accepted connections inherit; without a time, the
 * system's.
 * @throws {Error} that they could not be set
 */
export function setListenerKeepAliveTimes(
  address: Deno.NetAddr,
  times: Partial<KeepAliveTimes>,
): void {
  const sockets = findListeners(address);
  if (sockets.length === 0) {
    throw new Error("cannot set keep-alive times: the descriptor of the listener was not found");
  }
  for (const name of Object.keys(OPTION) as Name[]) {
    const time = times[name];
    const value = time === undefined ? systemValue(name) : valueOf(name, time);
    for (const socket of sockets) if (value !== undefined) set(socket, { name, value });
  }
}

function set({ system, descriptor }: FoundSocket, { name, value }: { name: Name; value: number }) {
  const bytes = Int32Array.of(value);
  if (system.setsockopt(descriptor, IPPROTO_TCP, OPTION[name], bytes, bytes.byteLength) === 0) {
    return;
  }
  throw new Error(`cannot set ${name} to ${value}`);
}

/** The kernel counts in seconds. */
function valueOf(name: Name, value: number): number {
  return name === "keep-alive-count" ? value : value / 1_000;
}

function systemValue(name: Name): number | undefined {
  try {
    return Number(Deno.readTextFileSync(`/proc/sys/net/ipv4/${SYSTEM[name]}`));
  } catch {
    return undefined;
  }
}
