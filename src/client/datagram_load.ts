/**
 * The load test over UDP: numbered datagrams to an echo, with loss, reordering and round trips.
 *
 * @module
 */
import process from "node:process";
import { delay } from "@std/async/delay";
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import { localEndOf } from "../config/client_rules.ts";
import { formatAddress, type UdpAddress } from "../endpoint/address.ts";
import { formatDuration } from "../options/quantity.ts";
import type { ClientIo } from "./client_io.ts";
import {
  datagramLoadJson,
  type DatagramLoadResult,
  datagramLoadText,
} from "./datagram_load_report.ts";
import { DatagramLoad, type DatagramTotals, LoadSocket } from "./datagram_load_work.ts";

/** The default size of a datagram in bytes, and the smallest, which holds its number. */
const SIZE = { default: 64, least: 8 };

/**
 * Runs a load test and prints its results.
 *
 * @throws {Error} where nothing came back
 */
export async function benchDatagrams(
  { targets: [target], options }: ClientConfig,
  io: Pick<ClientIo, "log" | "print" | "signal">,
): Promise<void> {
  const size = Math.max(options.size ?? SIZE.default, SIZE.least);
  const load = new DatagramLoad({ size, timeout: options["connect-timeout"] || 1_000 });
  const cpu = process.cpuUsage();
  const start = performance.now();
  const sockets = await Promise.all(
    Array.from(
      { length: options.connections },
      () => LoadSocket.open(target as UdpAddress, { load, from: localEndOf(options) }),
    ),
  );
  try {
    for (const socket of sockets) socket.start();
    await over(options, { signal: io.signal, load });
    load.stop();
    await Promise.all(sockets.map((socket) => socket.settled()));
  } finally {
    for (const socket of sockets) socket.close();
  }
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const result = {
    target: formatAddress(target),
    sockets: options.connections,
    size,
    inFlight: load.window,
    elapsed,
    cpuShare: (user + system) / 1000 / elapsed,
    totals: load.totals,
  };
  await io.print(options.json ? datagramLoadJson(result) : datagramLoadText(result));
  refuseSilence(result);
}

/** Resolves at the end of the test: after its time, when interrupted, or when nothing is there. */
async function over(
  { duration }: ClientOptions,
  { signal, load }: { signal: AbortSignal | undefined; load: DatagramLoad },
): Promise<void> {
  const end = AbortSignal.any([...signal ? [signal] : [], load.failed]);
  const time = duration > 0 ? duration : 2 ** 31 - 1;
  await delay(time, { signal: end }).catch(() => {});
}

function refuseSilence({ target, elapsed, totals }: DatagramLoadResult): void {
  if (totals.times.count > 0) return;
  throw new Error(silenceOf(target, { elapsed, totals }));
}

function silenceOf(
  target: string,
  { elapsed, totals }: { elapsed: number; totals: DatagramTotals },
): string {
  if (totals.unreachable > 0) {
    return `${target}: ICMP port unreachable: nothing receives there`;
  }
  if (totals.sent === 0) return `${target}: nothing could be sent in ${formatDuration(elapsed)}`;
  const others = totals.others > 0 ? `${totals.others} other datagrams came` : "nothing came back";
  return `${target} sent no echo: ${totals.sent} were sent, and ${others} in ` +
    formatDuration(elapsed);
}
