/**
 * Is anything listening there, how fast does it answer, and how steadily?
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import { formatDuration } from "../options/quantity.ts";
import { type Address, formatAddress, isUnix } from "../endpoint/address.ts";
import { codeOf, explain } from "../transport/errors.ts";
import { Histogram } from "./histogram.ts";
import { connectWithRetry, resolveRoute } from "./connect.ts";

/** How many ports are probed at the same time. */
const AT_ONCE = 128;

/** Who hears of a probe. */
export interface ProbeEnds {
  /** Takes a line about what happens. */
  tell(line: string): void;
  /** Takes what was found. */
  print(text: string): Promise<void>;
  /** Ends it early when aborted; what was found until then is still told. */
  readonly signal?: AbortSignal | undefined;
}

/** What a port answered, at worst. */
type State = "open" | "refused" | "silent" | "unreachable";

/** What came of probing one address. */
class Finding {
  readonly address: Address;
  readonly times = new Histogram();
  lost = 0;
  state: State = "open";
  reason = "";
  #before: number | undefined;
  #steps = 0;

  constructor(address: Address) {
    this.address = address;
  }

  open(took: number): void {
    this.times.record(took);
    if (this.#before !== undefined) this.#steps += Math.abs(took - this.#before);
    this.#before = took;
  }

  fail(error: unknown): void {
    this.lost++;
    this.state = stateOf(error);
    this.reason = explain(error);
  }

  /** The mean difference between one time and the next (RFC 3550 smooths the same), in milliseconds. */
  get jitter(): number {
    return this.times.count > 1 ? this.#steps / (this.times.count - 1) : 0;
  }

  get loss(): number {
    return this.lost / Math.max(this.lost + this.times.count, 1);
  }
}

/**
 * Connects to every target as often as is asked, and tells what came of it.
 *
 * @throws {Error} which says how many were not open; what was found has been told then
 */
export async function probe(
  { targets, options }: ClientConfig,
  ends: ProbeEnds,
): Promise<void> {
  const findings = targets.map((target) => new Finding(target));
  const queue = findings.values();
  const workers = Array.from({ length: Math.min(AT_ONCE, findings.length) }, async () => {
    for (const finding of queue) await probeOne(finding, { options, ends });
  });
  await Promise.all(workers);
  await ends.print(options.json ? toJson(findings) : report(findings, options));
  const closed = findings.filter(({ lost }) => lost > 0);
  if (closed.length === 0) return;
  const [only] = closed;
  throw new Error(
    findings.length === 1 ? only!.reason : `${closed.length} of ${findings.length} are not open`,
  );
}

async function probeOne(
  finding: Finding,
  { options, ends }: { options: ClientOptions; ends: ProbeEnds },
): Promise<void> {
  const route = await resolveRoute(finding.address, options);
  const tell = options.verbose ? ends.tell : () => {};
  for (let n = 1; n <= options.count && !ends.signal?.aborted; n++) {
    const next = performance.now() + options.interval;
    try {
      const { socket, took } = await connectWithRetry(route, {
        options,
        tell: ends.tell,
        signal: ends.signal,
        abandon: ends.signal,
      });
      socket.close();
      finding.open(took);
      tell(`${formatAddress(finding.address)}: connected in ${formatDuration(took)}`);
    } catch (error) {
      if (ends.signal?.aborted) return;
      if (error instanceof Error && error.name === "TrustError") throw error;
      finding.fail(error);
      tell(explain(error));
    }
    if (n === options.count) return;
    await delay(Math.max(0, next - performance.now()), ends.signal ? { signal: ends.signal } : {})
      .catch(() => {});
  }
}

function stateOf(error: unknown): State {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (codeOf(cause) === "ECONNREFUSED") return "refused";
    if (codeOf(cause) === "ETIMEDOUT" || /^no answer in/.test(cause.message)) return "silent";
  }
  return "unreachable";
}

function report(findings: readonly Finding[], { count }: ClientOptions): string {
  const [first] = findings;
  const parts = [
    findings.length > 1 ? table(findings) : count === 1 ? line(first!) : "",
    ...count > 1 && findings.length === 1 ? [statistics(first!)] : [],
  ];
  return parts.filter((part) => part !== "").map((part) => part + "\n").join("");
}

function line({ address, times }: Finding): string {
  if (times.count === 0) return "";
  return `${formatAddress(address)} is open (connected in ${formatDuration(times.max)})`;
}

function table(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const { address, times, lost, state } = finding;
    const port = isUnix(address) ? address.path : String(address.port);
    const total = times.count + lost;
    const rate = total > 1 ? `${times.count}/${total}`.padEnd(9) : "";
    const time = times.count > 0 ? formatDuration(times.quantile(0.5)) : "";
    return `${port.padEnd(7)} ${state.padEnd(12)} ${rate}${time}`.trimEnd();
  });
  return ["PORT    STATE        CONNECTED IN", ...rows].join("\n");
}

function statistics(finding: Finding): string {
  const { address, times, lost, loss, jitter } = finding;
  const total = times.count + lost;
  const head = `${formatAddress(address)}: ${total} connects, ${times.count} open, ` +
    `${(loss * 100).toPrecision(3)} % lost`;
  if (times.count === 0) return head;
  const numbers = [
    `min ${formatDuration(times.min)}`,
    `median ${formatDuration(times.quantile(0.5))}`,
    `p99 ${formatDuration(times.quantile(0.99))}`,
    `max ${formatDuration(times.max)}`,
    `jitter ${formatDuration(jitter)}`,
  ];
  return [head, numbers.join(", "), ...times.bars()].join("\n");
}

function toJson(findings: readonly Finding[]): string {
  const objects = findings.map((finding) => {
    const { address, times, lost, loss, jitter, state, reason } = finding;
    return {
      address: formatAddress(address),
      state,
      ...reason ? { reason } : {},
      count: times.count + lost,
      open: times.count,
      loss,
      ...times.count > 0 ? { ...milliseconds(times), jitter_ms: round(jitter) } : {},
    };
  });
  return JSON.stringify(objects.length === 1 ? objects[0] : objects) + "\n";
}

function milliseconds(times: Histogram): Record<string, number> {
  return {
    min_ms: round(times.min),
    median_ms: round(times.quantile(0.5)),
    p99_ms: round(times.quantile(0.99)),
    max_ms: round(times.max),
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
