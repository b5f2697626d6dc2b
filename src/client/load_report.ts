/**
 * The results of a load test, as text and JSON.
 *
 * @module
 */
import { formatDuration, formatSize, roundMilliseconds, threeDigits } from "../options/quantity.ts";
import { printableJson } from "../terminal/printable.ts";
import type { Histogram } from "./histogram.ts";

/** The results of a load test. Times are in milliseconds, sizes in bytes. */
export interface LoadResult {
  /** The address of the service. */
  readonly target: string;
  /** What each connection repeated. */
  readonly mode: "round-trip" | "stream" | "connect";
  /** Concurrent connections. */
  readonly connections: number;
  /** Bytes per message. */
  readonly size: number;
  /** How long the test ran. */
  readonly elapsed: number;
  /** The client's own CPU use; 1 is one core. */
  readonly cpuShare: number;
  /** Round trips, or connects. */
  readonly times: Histogram;
  /** Bytes sent. */
  readonly bytesOut: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** How often each error occurred. */
  readonly errors: ReadonlyMap<string, number>;
}

/** From this CPU use on, the client is considered the bottleneck. */
export const BUSY = 0.9;

const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

const UNITS: Readonly<Record<LoadResult["mode"], string>> = {
  "round-trip": "round trips",
  stream: "messages",
  connect: "connects",
};

/** The results as text. */
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
    bottleneck(result),
  ];
  return lines.join("\n") + "\n";
}

/** The results as a JSON object. */
export function loadJson(result: LoadResult): string {
  const { target, mode, connections, size, elapsed, cpuShare, times, errors } = result;
  const seconds = elapsed / 1000;
  return printableJson({
    target,
    mode,
    connections,
    size,
    duration_ms: roundMilliseconds(elapsed),
    count: times.count,
    per_second: roundMilliseconds(times.count / seconds),
    bytes_out: result.bytesOut,
    bytes_in: result.bytesIn,
    ...times.count > 0 ? { latency_ms: quantiles(times) } : {},
    errors: Object.fromEntries(errors),
    client_cpu: roundMilliseconds(cpuShare),
    client_was_bottleneck: cpuShare >= BUSY,
  }) + "\n";
}

/** `min 31 µs, p50 40 µs, …` */
export function latencies(times: Histogram): string {
  return [
    `min ${formatDuration(times.min)}`,
    ...QUANTILES.map((share) => `p${share * 100} ${formatDuration(times.quantile(share))}`),
    `max ${formatDuration(times.max)}`,
  ].join(", ");
}

/** The quantiles as JSON. */
export function quantiles(times: Histogram): Record<string, number> {
  return {
    min: roundMilliseconds(times.min),
    ...Object.fromEntries(
      QUANTILES.map((share) => [`p${share * 100}`, roundMilliseconds(times.quantile(share))]),
    ),
    max: roundMilliseconds(times.max),
    mean: roundMilliseconds(times.mean),
  };
}

/** Whether this client was the bottleneck. */
export function bottleneck({ cpuShare }: Pick<LoadResult, "cpuShare">): string {
  const used = `this client used ${Math.round(cpuShare * 100)} % of a core`;
  return cpuShare >= BUSY
    ? `${used}: it was the bottleneck, and the service can probably handle more`
    : `${used}: the limit is probably elsewhere`;
}
