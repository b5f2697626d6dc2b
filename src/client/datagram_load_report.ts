/**
 * The results of a load test over UDP, as text and JSON.
 *
 * @module
 */
import {
  formatDuration,
  formatPercent,
  formatSize,
  roundMilliseconds,
  threeDigits,
} from "../options/quantity.ts";
import { printableJson } from "../terminal/printable.ts";
import { bottleneck, BUSY, latencies, quantiles } from "./load_report.ts";
import type { DatagramTotals } from "./datagram_load_work.ts";

/** The results of a load test over UDP. Times are in milliseconds, sizes in bytes. */
export interface DatagramLoadResult {
  /** The address of the service. */
  readonly target: string;
  /** Sockets at the same time. */
  readonly sockets: number;
  /** Bytes per datagram. */
  readonly size: number;
  /** Datagrams under way on each socket. */
  readonly inFlight: number;
  /** How long the test ran. */
  readonly elapsed: number;
  /** The client's own CPU use; 1 is one core. */
  readonly cpuShare: number;
  /** What was counted. */
  readonly totals: DatagramTotals;
}

/** The results as text. */
export function datagramLoadText(result: DatagramLoadResult): string {
  const { target, sockets, size, inFlight, elapsed, totals } = result;
  const { times, sent, reordered, duplicated, late, others, unreachable } = totals;
  const lines = [
    `${target}: datagrams of ${formatSize(size)} over ${sockets} ${
      sockets === 1 ? "socket" : "sockets"
    }, ${inFlight} in flight on each, for ${formatDuration(elapsed)}`,
    `${sent} sent, ${times.count} answered, ${
      threeDigits(times.count / (elapsed / 1000))
    } a second`,
    `${formatPercent(lossOf(totals))} lost (${totals.lost}), ${reordered} reordered, ` +
    `${duplicated} duplicated, ${late} late`,
    ...times.count > 0 ? [latencies(times), ...times.bars()] : [],
    ...others > 0 ? [`${others} × no echo`] : [],
    ...unreachable > 0 ? [`${unreachable} × ICMP port unreachable`] : [],
    bottleneck(result),
  ];
  return lines.join("\n") + "\n";
}

/** The results as a JSON object. */
export function datagramLoadJson(result: DatagramLoadResult): string {
  const { target, sockets, size, inFlight, elapsed, cpuShare, totals } = result;
  const { times, ...counts } = totals;
  return printableJson({
    target,
    sockets,
    size,
    in_flight: inFlight,
    duration_ms: roundMilliseconds(elapsed),
    count: times.count,
    per_second: roundMilliseconds(times.count / (elapsed / 1000)),
    loss: lossOf(totals),
    ...counts,
    ...times.count > 0 ? { latency_ms: quantiles(times) } : {},
    client_cpu: roundMilliseconds(cpuShare),
    client_was_bottleneck: cpuShare >= BUSY,
  }) + "\n";
}

function lossOf({ lost, sent }: DatagramTotals): number {
  return lost / Math.max(sent, 1);
}
