/**
 * The probe: connects to ports to see whether they are open, and how fast.
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
import type { ClientIo } from "./client_io.ts";
import { connectWithRetry, endpointOf } from "./connect.ts";
import { Finding } from "./probe_finding.ts";
import { type Attempt, attemptLine, notOpen, probeJson, probeText } from "./probe_report.ts";

/** The most ports that are probed at the same time. */
const AT_ONCE = 128;

/** The output of a probe. */
export type ProbeIo = Pick<ClientIo, "log" | "print" | "signal">;

/** What each connect of a probe needs. */
interface Task {
  readonly endpoint: DialledEndpoint;
  readonly options: ClientOptions;
  readonly io: ProbeIo;
}

/**
 * Probes all targets and prints the results.
 *
 * @throws {Error} which says which are not open, after printing
 */
export async function probe(
  { targets, options }: ClientConfig,
  io: ProbeIo,
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
        io,
      });
    }
  });
  await Promise.all(workers);
  const isInterrupted = io.signal?.aborted ?? false;
  const isRepeated = options.count > 1 || isInterrupted;
  await io.print(options.json ? probeJson(findings) : probeText(findings, { isRepeated }));
  const [only] = findings;
  if (findings.length === 1 && only!.reason !== "") throw new Error(only!.reason);
  if (findings.some(({ state }) => state !== "open")) throw new Error(notOpen(findings));
}

async function probeOne(finding: Finding, task: Task): Promise<void> {
  const { options, io: { signal } } = task;
  for (let n = 1; n <= options.count && !signal?.aborted; n++) {
    const next = performance.now() + options.interval;
    await connectOnce(finding, task);
    if (n === options.count || finding.state === "untrusted") return;
    await delay(Math.max(0, next - performance.now()), signal ? { signal } : {}).catch(() => {});
  }
}

/** Connects once, and prints the result if the probe has no end. */
async function connectOnce(finding: Finding, task: Task): Promise<void> {
  const { options, io } = task;
  const [at, start] = [new Date(), performance.now()];
  const outcome = await attempt(finding, task);
  if (options.count !== Infinity || !outcome) return;
  const elapsed = outcome.elapsed ?? performance.now() - start;
  const line = { attempt: { ...outcome, at, elapsed }, json: options.json };
  await io.print(attemptLine(finding.address, line));
}

/** Connects once. `undefined` if it was interrupted. */
async function attempt(
  finding: Finding,
  { endpoint, options, io }: Task,
): Promise<Omit<Attempt, "at" | "elapsed"> & { readonly elapsed?: number } | undefined> {
  const log = options.verbose ? io.log : () => {};
  const start = performance.now();
  let isResolved = isUnix(finding.address) || isIP(finding.address.hostname);
  const onStep = (step: DialStep) => {
    if (step.step !== "resolved") return;
    isResolved = true;
    if (step.from === "system") finding.lookups.record(step.elapsed);
  };
  const how = { options, onStep, log: io.log, signal: io.signal, abandon: io.signal };
  try {
    const { socket, elapsed } = await connectWithRetry(endpoint, how);
    socket.close();
    finding.open(elapsed);
    log(`${formatAddress(finding.address)}: connected in ${formatDuration(elapsed)}`);
    return { state: "open", elapsed };
  } catch (error) {
    if (isAbort(error, io.signal)) {
      const waited = formatDuration(performance.now() - start);
      return void finding.interrupt(
        isResolved
          ? { state: "silent", reason: `interrupted: no answer in ${waited}` }
          : { state: "unresolved", reason: `interrupted: no address from DNS in ${waited}` },
      );
    }
    const state = finding.fail(error);
    log(explain(error));
    return { state, reason: explain(error) };
  }
}

/** Whether the signal is a cause of the error; a retry may have failed before the abort. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false;
  for (let cause = error; cause !== undefined; cause = (cause as Error).cause) {
    if (cause === signal.reason) return true;
    if (!(cause instanceof Error)) return false;
  }
  return false;
}
