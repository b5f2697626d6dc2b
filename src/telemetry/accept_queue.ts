/**
 * What Linux tells, in /proc, of clients that nobody has accepted yet.
 *
 * @module
 */
import { type ListenCounters, parseListenCounters } from "../trace/kernel/parse_sockets.ts";
import { listeningSockets } from "../trace/kernel/read_sockets.ts";

/** How many clients wait to be accepted, by the address that they came to: `127.0.0.1:7000`. */
export async function acceptQueues(): Promise<ReadonlyMap<string, number>> {
  const queues = new Map<string, number>();
  for (const { local, receiveQueue } of await listeningSockets() ?? []) {
    queues.set(local, receiveQueue);
  }
  return queues;
}

/** The kernel's counters of those it turned away; `undefined` where it does not tell. */
export async function listenCounters(): Promise<ListenCounters | undefined> {
  const text = await Deno.readTextFile("/proc/net/netstat").catch(() => undefined);
  return text === undefined ? undefined : parseListenCounters(text);
}
