/**
 * The probe over UDP: sends empty datagrams, and tells what can be known of the ports.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import { localEndOf } from "../config/client_rules.ts";
import { formatAddress, type UdpAddress } from "../endpoint/address.ts";
import { formatDuration, formatPercent, roundMilliseconds } from "../options/quantity.ts";
import { printableJson } from "../terminal/printable.ts";
import {
  type DatagramConnection,
  dialDatagrams,
  isUnreachable,
} from "../transport/dial_datagrams.ts";
import type { ClientIo } from "./client_io.ts";
import { attemptLine } from "./probe_report.ts";
import { Histogram } from "./histogram.ts";

/** The most ports that are probed at the same time. */
const AT_ONCE = 128;

/** How often is looked whether a port is unreachable, in milliseconds. */
const LOOK = 10;

/** What UDP can tell of a port. Without ICMP messages, silence is all that a closed port shows. */
type State = "open" | "closed" | "open or filtered" | "open, filtered or closed" | "interrupted";

/** What was found out about a port. */
class DatagramFinding {
  readonly address: UdpAddress;
  readonly times = new Histogram();
  sent = 0;
  state: State = "interrupted";

  constructor(address: UdpAddress) {
    this.address = address;
  }

  get lost(): number {
    return this.sent - this.times.count;
  }

  /** Adds what one datagram has found. */
  add(state: State, elapsed: number): void {
    this.sent++;
    if (state === "open") this.times.record(elapsed);
    if (state === "open" || this.times.count === 0) this.state = state;
  }
}

/**
 * Probes all targets and prints the results.
 *
 * @throws {Error} which says which ports are closed, after printing
 */
export async function probeDatagrams(
  { targets, options }: ClientConfig,
  io: Pick<ClientIo, "log" | "print" | "signal">,
): Promise<void> {
  const findings = targets.map((target) => new DatagramFinding(target as UdpAddress));
  const queue = findings.values();
  // Only one socket at a time can have a port of its own choice.
  const atOnce = options.source?.port === undefined ? Math.min(AT_ONCE, findings.length) : 1;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const finding of queue) await probeOne(finding, { options, io });
  }));
  await io.print(options.json ? asJson(findings) : asText(findings, waitOf(options)));
  const closed = findings.filter(({ state }) => state === "closed");
  if (closed.length === 0) return;
  if (findings.length === 1) throw new Error(lineOf(closed[0]!, waitOf(options)));
  const ports = closed.map(({ address }) => address.port).join(", ");
  throw new Error(`${closed.length} of ${findings.length} are closed: ${ports}`);
}

function waitOf(options: ClientOptions): number {
  return options.timeout ?? options["connect-timeout"];
}

async function probeOne(
  finding: DatagramFinding,
  { options, io }: { options: ClientOptions; io: Pick<ClientIo, "print" | "signal"> },
): Promise<void> {
  const { signal } = io;
  const socket = await dialDatagrams(finding.address, { signal, from: localEndOf(options) });
  let answered: (() => void) | undefined;
  const answers = receiveAnswers(socket, () => answered?.());
  try {
    for (let n = 1; n <= options.count && !signal?.aborted; n++) {
      const [at, start] = [new Date(), performance.now()];
      const answer = new Promise<"open">((resolve) => answered = () => resolve("open"));
      const state = await ask(socket, { answer, within: waitOf(options), signal });
      if (state === "interrupted") break;
      const elapsed = performance.now() - start;
      finding.add(state, elapsed);
      if (options.count === Infinity) {
        const reason = state === "open" ? {} : { reason: whyOf(state, waitOf(options)) };
        const attempt = { at, state, elapsed, ...reason };
        await io.print(attemptLine(finding.address, { attempt, json: options.json }));
      }
      if (n === options.count) break;
      const rest = Math.max(0, options.interval - (performance.now() - start));
      await delay(rest, signal ? { signal } : {}).catch(() => {});
    }
  } finally {
    socket.close();
    await answers;
  }
}

/** Calls `answered` for each datagram, until the socket is closed. */
async function receiveAnswers(socket: DatagramConnection, answered: () => void): Promise<void> {
  const buffer = new Uint8Array(1);
  try {
    for (;;) {
      await socket.receive(buffer);
      answered();
    }
  } catch {
    // The probe is over, or the error is one that the next send reports.
  }
}

/** Sends an empty datagram, and waits for an answer or an ICMP port unreachable. */
async function ask(
  socket: DatagramConnection,
  { answer, within, signal }: {
    answer: Promise<"open">;
    within: number;
    signal: AbortSignal | undefined;
  },
): Promise<State> {
  const end = performance.now() + within;
  try {
    await socket.send(new Uint8Array(0));
  } catch (error) {
    if (isUnreachable(error)) return "closed";
    throw error;
  }
  while (!signal?.aborted && (within === 0 || performance.now() < end)) {
    const state = await Promise.race([answer, delay(LOOK)]);
    if (state) return state;
    if (socket.takeUnreachable()) return "closed";
  }
  if (signal?.aborted) return "interrupted";
  return socket.seesUnreachable ? "open or filtered" : "open, filtered or closed";
}

function asText(findings: readonly DatagramFinding[], wait: number): string {
  const [only] = findings;
  if (findings.length > 1) {
    const rows = findings.map(({ address: { port }, state, times, sent }) => {
      const rate = sent > 1 ? `${times.count}/${sent}`.padEnd(9) : "";
      const time = times.count > 0 ? formatDuration(times.quantile(0.5)) : "";
      return `${String(port).padEnd(7)} ${state.padEnd(24)} ${rate}${time}`.trimEnd();
    });
    return ["PORT    STATE                    ANSWERED IN", ...rows, ""].join("\n");
  }
  if (only!.sent > 1) return statistics(only!);
  return only!.state === "closed" ? "" : lineOf(only!, wait) + "\n";
}

function lineOf({ address, state, times }: DatagramFinding, wait: number): string {
  const name = formatAddress(address);
  if (state === "interrupted") return `${name}: interrupted before an answer came`;
  const why = state === "open" ? `answered in ${formatDuration(times.max)}` : whyOf(state, wait);
  return `${name} is ${state} (${why})`;
}

/** Why a port is taken to be in a state without an answer. */
function whyOf(state: Exclude<State, "open" | "interrupted">, wait: number): string {
  const silence = `no answer in ${formatDuration(wait)}`;
  switch (state) {
    case "closed":
      return "ICMP port unreachable";
    case "open or filtered":
      return `${silence}, and no ICMP port unreachable`;
    case "open, filtered or closed":
      return `${silence}; seeing ICMP needs Linux and --allow-ffi`;
  }
}

function statistics({ address, state, sent, times, lost }: DatagramFinding): string {
  const head = `${formatAddress(address)} is ${state}: ${sent} sent, ${times.count} answered, ` +
    `${formatPercent(lost / Math.max(sent, 1))} lost`;
  if (times.count === 0) return head + "\n";
  const numbers = [
    `min ${formatDuration(times.min)}`,
    `median ${formatDuration(times.quantile(0.5))}`,
    `p99 ${formatDuration(times.quantile(0.99))}`,
    `max ${formatDuration(times.max)}`,
  ];
  return [head, numbers.join(", "), ...times.bars(), ""].join("\n");
}

function asJson(findings: readonly DatagramFinding[]): string {
  const objects = findings.map(({ address, state, sent, times, lost }) => ({
    address: formatAddress(address),
    state,
    count: sent,
    answered: times.count,
    loss: lost / Math.max(sent, 1),
    ...times.count === 0 ? {} : {
      min_ms: roundMilliseconds(times.min),
      median_ms: roundMilliseconds(times.quantile(0.5)),
      p99_ms: roundMilliseconds(times.quantile(0.99)),
      max_ms: roundMilliseconds(times.max),
    },
  }));
  return printableJson(objects.length === 1 ? objects[0] : objects) + "\n";
}
