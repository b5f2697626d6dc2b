/**
 * What a load showed, for people and for programs, with its own limits told beside it.
 *
 * @module
 */
import { formatDuration, formatSize, threeDigits } from "../options/quantity.ts";
import { printableJson } from "../terminal/printable.ts";
import type { Histogram } from "./histogram.ts";

/** What was measured. Times are in milliseconds, sizes in bytes. */
export interface LoadResult {
  /** What was put under load. */
  readonly target: string;
  /** What each connection did. */
  readonly mode: "round-trip" | "stream" | "connect";
  /** How many there were at the same time. */
  readonly connections: number;
  /** Bytes of each message. */
  readonly size: number;
  /** How long it lasted. */
  readonly elapsed: number;
  /** How much of one core the client itself used, 1 being all of it. */
  readonly cpuShare: number;
  /** Round trips, or connects. */
  readonly times: Histogram;
  /** Bytes that were sent. */
  readonly bytesOut: number;
  /** Bytes that came back. */
  readonly bytesIn: number;
  /** How often what went wrong. */
  readonly errors: ReadonlyMap<string, number>;
}

/** From so much of a core on, the client is as fast as it can be. */
const BUSY = 0.9;

const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

const UNITS: Readonly<Record<LoadResult["mode"], string>> = {
  "round-trip": "round trips",
  stream: "messages",
  connect: "connects",
};

/** For people. */
export function loadText(result: LoadResult): string {
  const { target, mode, connections, size, elapsed, times, bytesOut, bytesIn, errors } = result;
  const seconds = elapsed / 1000;
  const each = mode === "connect" ? "" : ` of ${formatSize(size)}`;
  const lines = [
    `${target}: ${UNITS[mode]}${each} over ${connections} ${
      connections === 1 ? "connection" : "connections"
    } for ${formatDuration(elapsed)}`,
    ...times.count > 0
      ? [`${times.count} ${UNITS[mode]}, ${threeDigits(times.count / seconds)} a second`]
      : [],
    ...mode === "connect" ? [] : [
      `${formatSize(Math.round(bytesOut / seconds))}/s out, ` +
      `${formatSize(Math.round(bytesIn / seconds))}/s in`,
    ],
    ...times.count > 0 ? [latencies(times), ...times.bars()] : [],
    ...[...errors].map(([reason, count]) => `${count} × ${reason}`),
    verdict(result),
  ];
  return lines.join("\n") + "\n";
}

/** One object. */
export function loadJson(result: LoadResult): string {
  const { target, mode, connections, size, elapsed, cpuShare, times, errors } = result;
  const seconds = elapsed / 1000;
  return printableJson({
    target,
    mode,
    connections,
    size,
    duration_ms: round(elapsed),
    count: times.count,
    per_second: round(times.count / seconds),
    bytes_out: result.bytesOut,
    bytes_in: result.bytesIn,
    ...times.count > 0 ? { latency_ms: quantiles(times) } : {},
    errors: Object.fromEntries(errors),
    client_cpu: round(cpuShare),
    client_was_bottleneck: cpuShare >= BUSY,
  }) + "\n";
}

function latencies(times: Histogram): string {
  return [
    `min ${formatDuration(times.min)}`,
    ...QUANTILES.map((share) => `p${share * 100} ${formatDuration(times.quantile(share))}`),
    `max ${formatDuration(times.max)}`,
  ].join(", ");
}

function quantiles(times: Histogram): Record<string, number> {
  return {
    min: round(times.min),
    ...Object.fromEntries(
      QUANTILES.map((share) => [`p${share * 100}`, round(times.quantile(share))]),
    ),
    max: round(times.max),
    mean: round(times.mean),
  };
}

function verdict({ cpuShare }: LoadResult): string {
  const used = `this client used ${Math.round(cpuShare * 100)} % of a core`;
  return cpuShare >= BUSY
    ? `${used}: it was the bottleneck, and the service can probably bear more`
    : `${used}: the limit is probably elsewhere`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
