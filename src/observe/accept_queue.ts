/**
 * What Linux tells, in /proc, of clients that nobody has accepted yet.
 *
 * @module
 */

/** Clients that were turned away before they could wait, since the machine or its network namespace began. */
export interface ListenCounters {
  /** The accept queue was full. */
  readonly overflows: number;
  /** For any reason. */
  readonly drops: number;
}

/** How many clients wait to be accepted, by the port that they came to. */
export async function acceptQueues(): Promise<ReadonlyMap<number, number>> {
  const tables = await Promise.all([readProc("tcp"), readProc("tcp6")]);
  const queues = new Map<number, number>();
  // `0: 0100007F:1B58 00000000:0000 0A 00000000:00000003`: 0A is LISTEN, the last field its queue.
  for (const [, portHex, length] of tables.join("").matchAll(LISTENING)) {
    const port = parseInt(portHex!, 16);
    queues.set(port, (queues.get(port) ?? 0) + parseInt(length!, 16));
  }
  return queues;
}

const LISTENING = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A [0-9A-F]{8}:([0-9A-F]{8})/gm;

/** The kernel's counters; zeros where there is no /proc. */
export async function listenCounters(): Promise<ListenCounters> {
  const [names = [], values = []] = (await readProc("netstat")).split("\n")
    .filter((line) => line.startsWith("TcpExt:")).map((line) => line.split(" "));
  const counter = (name: string) => Number(values[names.indexOf(name)] ?? 0);
  return { overflows: counter("ListenOverflows"), drops: counter("ListenDrops") };
}

function readProc(name: "tcp" | "tcp6" | "netstat"): Promise<string> {
  return Deno.readTextFile(`/proc/net/${name}`).catch(() => "");
}
