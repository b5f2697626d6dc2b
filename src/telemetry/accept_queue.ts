/**
 * Reads accept queues from Linux's /proc.
 *
 * @module
 */
import { type ListenCounters, parseListenCounters } from "../trace/kernel/parse_sockets.ts";
import { listeningSockets } from "../trace/kernel/read_sockets.ts";

/** The lengths of accept queues, by listening address: `127.0.0.1:7000`. */
export async function acceptQueues(): Promise<ReadonlyMap<string, number>> {
  const queues = new Map<string, number>();
  for (const { local, receiveQueue } of await listeningSockets() ?? []) {
    queues.set(local, receiveQueue);
  }
  return queues;
}

/** The kernel's counters of full accept queues; `undefined` where there is no /proc. */
export async function listenCounters(): Promise<ListenCounters | undefined> {
  const text = await Deno.readTextFile("/proc/net/netstat").catch(() => undefined);
  return text === undefined ? undefined : parseListenCounters(text);
}
