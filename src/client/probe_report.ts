/**
 * The results of a probe, as text and JSON.
 *
 * @module
 */
import { type Address, formatAddress, isUnix } from "../endpoint/address.ts";
import { formatDuration, formatPercent, roundMilliseconds } from "../options/quantity.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import type { Histogram } from "./histogram.ts";
import type { Finding } from "./probe_finding.ts";

/** The most port ranges in an error. */
const MAX_NAMED = 12;

/** As text: a line for one port, statistics where it was probed repeatedly, a table for several. */
export function probeText(
  findings: readonly Finding[],
  { isRepeated }: { isRepeated: boolean },
): string {
  const [only] = findings;
  const text = findings.length > 1 ? table(findings) : isRepeated ? statistics(only!) : line(only!);
  return text === "" ? "" : text + "\n";
}

/** As JSON: one object, or a list of objects. */
export function probeJson(findings: readonly Finding[]): string {
  const objects = findings.map(toObject);
  return printableJson(objects.length === 1 ? objects[0] : objects) + "\n";
}

/** One attempt of a probe: a connect, or a datagram. */
export interface Attempt {
  /** When it was started. */
  readonly at: Date;
  /** The result. */
  readonly state: string;
  /** How long it took in milliseconds. */
  readonly elapsed: number;
  /** Why the port is not open. */
  readonly reason?: string;
}

/** One attempt on a line: `2026-11-28T20:15:03.123Z 127.0.0.1:80 open in 1.20 ms`, or as JSON. */
export function attemptLine(
  address: Address,
  { attempt: { at, state, elapsed, reason }, json }: { attempt: Attempt; json: boolean },
): string {
  const name = formatAddress(address);
  if (!json) {
    const result = reason === undefined
      ? `open in ${formatDuration(elapsed)}`
      : `${state}: ${reason}`;
    return `${at.toISOString()} ${name} ${printable(result)}\n`;
  }
  const ms = roundMilliseconds(elapsed);
  return printableJson({ time: at, target: name, state, ms, ...reason ? { reason } : {} }) + "\n";
}

/** `3 of 9 are not open: 9-10 refused; 22 silent`. */
export function notOpen(findings: readonly Finding[]): string {
  const closed = findings.filter(({ state }) => state !== "open");
  const groups = [...Map.groupBy(closed, ({ state }) => state)].map(([state, group]) =>
    `${portList(group.map(portOf))} ${state}`
  );
  const verb = closed.length === 1 ? "is" : "are";
  return `${closed.length} of ${findings.length} ${verb} not open: ${groups.join("; ")}`;
}

function line({ address, times, lookups }: Finding): string {
  if (times.count === 0) return "";
  const lookup = lookups.count > 0 ? `looked up in ${formatDuration(lookups.max)}, ` : "";
  return `${formatAddress(address)} is open (${lookup}connected in ${formatDuration(times.max)})`;
}

function table(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const { times, sent, state } = finding;
    const rate = sent > 1 ? `${times.count}/${sent}`.padEnd(9) : "";
    const time = times.count > 0 ? formatDuration(times.quantile(0.5)) : "";
    return `${portOf(finding).padEnd(7)} ${state.padEnd(12)} ${rate}${time}`.trimEnd();
  });
  return ["PORT    STATE        CONNECTED IN", ...rows].join("\n");
}

function statistics({ address, times, lookups, sent, loss, jitter }: Finding): string {
  const head = `${formatAddress(address)}: ${sent} sent, ${times.count} connected, ` +
    `${formatPercent(loss)} lost`;
  const lookup = lookups.count === 0 ? [] : [
    `looked up ${lookups.count === 1 ? "once" : `${lookups.count} times`}, ` +
    `in ${formatDuration(lookups.max)}${lookups.count === 1 ? "" : " at most"}`,
  ];
  if (times.count === 0) return [head, ...lookup].join("\n");
  const numbers = [
    `min ${formatDuration(times.min)}`,
    `median ${formatDuration(times.quantile(0.5))}`,
    `p99 ${formatDuration(times.quantile(0.99))}`,
    `max ${formatDuration(times.max)}`,
    `jitter ${formatDuration(jitter)}`,
  ];
  return [head, numbers.join(", "), ...lookup, ...times.bars()].join("\n");
}

function toObject({ address, times, lookups, sent, loss, jitter, state, reason }: Finding) {
  return {
    address: formatAddress(address),
    state,
    ...reason ? { reason } : {},
    count: sent,
    open: times.count,
    loss,
    ...times.count > 0 ? { ...milliseconds(times), jitter_ms: roundMilliseconds(jitter) } : {},
    ...lookups.count > 0
      ? { lookups: lookups.count, lookup_max_ms: roundMilliseconds(lookups.max) }
      : {},
  };
}

function milliseconds(times: Histogram): Record<string, number> {
  return {
    min_ms: roundMilliseconds(times.min),
    median_ms: roundMilliseconds(times.quantile(0.5)),
    p99_ms: roundMilliseconds(times.quantile(0.99)),
    max_ms: roundMilliseconds(times.max),
  };
}
function portOf({ address }: Finding): string {
  return isUnix(address) ? address.path : String(address.port);
}

/** `9-10, 22`, and the number of further ports. */
function portList(ports: readonly string[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const port of ports.map(Number).toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === port - 1) last.to = port;
    else ranges.push({ from: port, to: port });
  }
  const named = ranges.slice(0, MAX_NAMED);
  const texts = named.map(({ from, to }) => from === to ? `${from}` : `${from}-${to}`);
  const more = ranges.slice(MAX_NAMED).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return [...texts, ...more > 0 ? [`${more} more`] : []].join(", ");
}
