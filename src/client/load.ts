/**
 * The load test: many connections that repeat the same operation.
 *
 * @module
 */
import process from "node:process";
import type { ClientConfig } from "../config/client_config.ts";
import type { LoadConfig } from "../config/measure_options.ts";
import { formatCount, formatDuration, formatSize } from "../options/quantity.ts";
import { formatAddress } from "../endpoint/address.ts";
import { Connection } from "../connection/connection.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { echoMessage, NoEcho } from "./echo.ts";
import type { ClientIo } from "./client_io.ts";
import { loadJson, type LoadResult, loadText } from "./load_report.ts";
import { LoadTotals, type LoadWork, repeatUntilOver, SERVICE_CLOSED } from "./load_work.ts";
import { connectWithRetry, endpointOf } from "./connect.ts";

/** How often the progress line is updated, in milliseconds. */
const PERIOD = 500;

/** The default size of a message, in bytes. */
const SIZES: Readonly<Record<LoadConfig["mode"], number>> = {
  "round-trip": 64,
  stream: 64 * 1024,
  connect: 0,
};

/** How long attempts that are under way at the end may go on, in milliseconds; then they are cancelled. */
const LAST_CHANCE = 500;

/** A hint for services that do not echo. */
const OTHER_MODES =
  "--mode connect measures how fast it accepts connections, --mode stream its throughput";

const tasks = new TaskScope("showing a load test's progress", {
  consequence: "the test continues",
});

/** The output of a load test. */
export type LoadIo = Pick<ClientIo, "log" | "print" | "status" | "signal">;

/**
 * Runs a load test and prints its results.
 *
 * @throws {Error} where nothing could be measured
 */
export async function bench(config: ClientConfig, io: LoadIo): Promise<void> {
  const { targets: [target], options } = config;
  const work = await loadWork(config, io);
  const { totals, message: { length: size } } = work;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const showProgress = tasks.guard(() =>
    io.status?.(progressLine(totals, { elapsed: performance.now() - start, options }))
  );
  const progress = setInterval(showProgress, PERIOD);
  using _late = work.late;
  await Promise.all(Array.from({ length: options.connections }, () => repeatUntilOver(work)));
  clearInterval(progress);
  if (work.stop.signal.reason instanceof NoEcho) {
    throw new Error(`${formatAddress(target)} ${work.stop.signal.reason.message}; ${OTHER_MODES}`);
  }
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const cpuShare = (user + system) / 1000 / elapsed;
  const { mode, connections } = options;
  const result = {
    ...{ target: formatAddress(target), mode, connections, size, elapsed, cpuShare },
    ...totals,
  };
  await io.print(options.json ? loadJson(result) : loadText(result));
  const fault = faultOf(result);
  if (fault !== undefined) throw new Error(`${formatAddress(target)} ${fault}`);
}

async function loadWork(
  { targets, options }: ClientConfig,
  io: LoadIo,
): Promise<LoadWork & { late: Disposable }> {
  const endpoint = await endpointOf(targets[0], options);
  const stop = new AbortController();
  const signal = AbortSignal.any([
    stop.signal,
    ...options.duration > 0 ? [AbortSignal.timeout(options.duration)] : [],
    ...io.signal ? [io.signal] : [],
  ]);
  const late = lateSignal(signal);
  return {
    mode: options.mode,
    late,
    message: echoMessage(options.size ?? SIZES[options.mode]),
    totals: new LoadTotals(),
    stop,
    signal,
    async connect() {
      const attempt = { options, log: io.log, signal, abandon: late.signal };
      const { socket, elapsed } = await connectWithRetry(endpoint, attempt);
      return { connection: new Connection(socket, { id: 1 }), elapsed };
    },
  };
}

/** A signal that is aborted a moment after another one, unless it is disposed of before. */
function lateSignal(signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = tasks.guard(() => {
    timer = setTimeout(tasks.guard(() => late.abort(signal.reason)), LAST_CHANCE);
  });
  signal.addEventListener("abort", wait);
  return {
    signal: late.signal,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", wait);
      clearTimeout(timer);
    },
  };
}

/** Why nothing was measured; `undefined` where something was. */
function faultOf({ mode, times, errors, bytesIn, bytesOut, elapsed }: LoadResult) {
  if (times.count > 0 || (mode === "stream" && bytesIn + bytesOut > 0)) return undefined;
  if (mode === "round-trip" && bytesIn === 0 && errors.size === 1 && errors.has(SERVICE_CLOSED)) {
    return `sent no echo: it closed each connection without an answer; ${OTHER_MODES}`;
  }
  if (errors.size === 0 && bytesOut === 0) {
    return `accepted no connection in ${formatDuration(elapsed)}`;
  }
  if (mode === "connect" || errors.size > 0) {
    return "failed on every connection: see the errors above";
  }
  return `sent no echo: ${formatSize(bytesOut)} were sent, and nothing was received in ` +
    `${formatDuration(elapsed)}; ${OTHER_MODES}`;
}

function progressLine(
  { times, bytesIn, bytesOut, live, errors }: LoadTotals,
  { elapsed, options }: { elapsed: number; options: LoadConfig },
): string {
  const seconds = elapsed / 1000;
  const failed = [...errors.values()].reduce((sum, count) => sum + count, 0);
  return [
    formatDuration(elapsed) +
    (options.duration > 0 ? ` of ${formatDuration(options.duration)}` : ""),
    formatCount(live, "connection"),
    ...options.mode === "stream" ? [] : [`${Math.round(times.count / seconds)}/s`],
    `${formatSize(Math.round(bytesOut / seconds))}/s out`,
    `${formatSize(Math.round(bytesIn / seconds))}/s in`,
    ...failed > 0 ? [formatCount(failed, "error")] : [],
  ].join(", ");
}
