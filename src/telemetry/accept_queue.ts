/**
 * What Linux tells, in /proc, of clients that nobody has accepted yet.
 *
 * @module
 */
import {
  type ListenCounters,
  parseListenCounters,
  parseSockets,
} from "../trace/live/kernel_sockets.ts";

/** How many clients wait to be accepted, by the address that they came to: `127.0.0.1:7000`. */
export async function acceptQueues(): Promise<ReadonlyMap<string, number>> {
  const tables = await Promise.all([readProc("tcp"), readProc("tcp6")]);
  const listening = tables.flatMap(parseSockets).filter(({ state }) => state === "LISTEN");
  return new Map(listening.map(({ local, receiveQueue }) => [local, receiveQueue]));
}

/** The kernel's counters of those it turned away; zeros where there is no /proc. */
export async function listenCounters(): Promise<ListenCounters> {
  return parseListenCounters(await readProc("netstat"));
}

function readProc(name: "tcp" | "tcp6" | "netstat"): Promise<string> {
  return Deno.readTextFile(`/proc/net/${name}`).catch(() => "");
}
