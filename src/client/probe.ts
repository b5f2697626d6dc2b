/**
 * Is anything listening there, how fast does it answer, and how steadily?
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { descriptorBudget } from "../admission/descriptors.ts";
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import { formatDuration } from "../options/quantity.ts";
import { formatAddress, isIP, isUnix } from "../endpoint/address.ts";
import { explain } from "../transport/errors.ts";
import type { DialledEndpoint, DialStep } from "../transport/dial.ts";
import { connectWithRetry, endpointOf } from "./connect.ts";
import { Finding } from "./probe_finding.ts";
import { notOpen, probeJson, probeText } from "./probe_report.ts";

/** How many ports are probed at the same time, where there are descriptors for so many. */
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

/** What every connect of a probe needs. */
interface Task {
  readonly endpoint: DialledEndpoint;
  readonly options: ClientOptions;
  readonly ends: ProbeEnds;
}

/**
 * Connects to every target as often as is asked, and tells what came of it.
 *
 * @throws {Error} which says which are not open; what was found has been told then
 */
export async function probe(
  { targets, options }: ClientConfig,
  ends: ProbeEnds,
): Promise<void> {
  const findings = targets.map((target) => new Finding(target));
  const endpoint = await endpointOf(targets[0], options);
  const queue = findings.values();
  const atOnce = Math.min(AT_ONCE, findings.length, descriptorBudget()?.free ?? AT_ONCE);
  const workers = Array.from({ length: atOnce }, async () => {
    for (const finding of queue) {
      await probeOne(finding, {
        endpoint: { ...endpoint, address: finding.address },
        options,
        ends,
      });
    }
  });
  await Promise.all(workers);
  const isInterrupted = ends.signal?.aborted ?? false;
  const isRepeated = options.count > 1 || isInterrupted;
  await ends.print(options.json ? probeJson(findings) : probeText(findings, { isRepeated }));
  const [only] = findings;
  if (findings.length === 1 && only!.reason !== "") throw new Error(only!.reason);
  if (findings.some(({ state }) => state !== "open")) throw new Error(notOpen(findings));
}

async function probeOne(finding: Finding, task: Task): Promise<void> {
  const { options, ends: { signal } } = task;
  for (let n = 1; n <= options.count && !signal?.aborted; n++) {
    const next = performance.now() + options.interval;
    await connectOnce(finding, task);
    if (n === options.count || finding.state === "untrusted") return;
    await delay(Math.max(0, next - performance.now()), signal ? { signal } : {}).catch(() => {});
  }
}

async function connectOnce(finding: Finding, { endpoint, options, ends }: Task): Promise<void> {
  const tell = options.verbose ? ends.tell : () => {};
  const start = performance.now();
  let isResolved = isUnix(finding.address) || isIP(finding.address.hostname);
  const onStep = (step: DialStep) => {
    if (step.step !== "resolved") return;
    isResolved = true;
    if (step.from === "system") finding.lookups.record(step.took);
  };
  try {
    const { socket, took } = await connectWithRetry(endpoint, {
      options,
      onStep,
      tell: ends.tell,
      signal: ends.signal,
      abandon: ends.signal,
    });
    socket.close();
    finding.open(took);
    tell(`${formatAddress(finding.address)}: connected in ${formatDuration(took)}`);
  } catch (error) {
    if (isAbort(error, ends.signal)) {
      const waited = formatDuration(performance.now() - start);
      return finding.interrupt(
        isResolved
          ? { state: "silent", reason: `interrupted: no answer in ${waited}` }
          : { state: "unresolved", reason: `interrupted: no address from DNS in ${waited}` },
      );
    }
    finding.fail(error);
    tell(explain(error));
  }
}

/** Whether it failed because of the signal; what is tried again may have failed before by itself. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false;
  for (let cause = error; cause !== undefined; cause = (cause as Error).cause) {
    if (cause === signal.reason) return true;
    if (!(cause instanceof Error)) return false;
  }
  return false;
}
