/**
 * A service under load: many connections that do the same over and over, and what that showed.
 *
 * @module
 */
import process from "node:process";
import type { ClientConfig } from "../config/client_config.ts";
import type { LoadConfig } from "../config/measure_options.ts";
import { delay } from "@std/async/delay";
import { formatCount, formatDuration, formatSize } from "../options/quantity.ts";
import { formatAddress } from "../endpoint/address.ts";
import { Connection } from "../connection/connection.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { echoMessage, isEcho, NoEcho } from "./echo.ts";
import { Histogram } from "./histogram.ts";
import { loadJson, type LoadResult, loadText } from "./load_report.ts";
import { connectWithRetry, endpointOf } from "./connect.ts";

/** Kinds of errors that are counted apart; a peer cannot make more of them. */
const KINDS = 20;

/** How often the progress line is written, and how long a connection pauses after an error, in ms. */
const PERIOD = 500;
const PAUSE = 100;

/** The size of a message where none is said. */
const SIZES: Readonly<Record<LoadConfig["mode"], number>> = {
  "round-trip": 64,
  stream: 64 * 1024,
  connect: 0,
};

/** Who hears of a load. */
export interface LoadEnds {
  /** Takes a line about what happens. */
  tell(line: string): void;
  /** Takes what came of it. */
  print(text: string): Promise<void>;
  /** Takes a line that is written over the one before; absent where nobody looks. */
  readonly status?: ((line: string) => void) | undefined;
  /** Ends it early when aborted; what was found until then is still told. */
  readonly signal?: AbortSignal | undefined;
}

/** What can be measured of a service that does not echo. */
const MEASURABLE =
  "--mode connect measures how fast it accepts, --mode stream what it takes and sends";

const tasks = new TaskScope("telling how a load goes", { without: "the load goes on" });

/** What is counted while it lasts: numbers and one histogram, however long that is. */
class LoadTotals {
  readonly times = new Histogram();
  readonly errors = new Map<string, number>();
  bytesOut = 0;
  bytesIn = 0;
  live = 0;

  fail(error: unknown): void {
    const reason = explain(error);
    const kind = this.errors.has(reason) || this.errors.size < KINDS ? reason : "others";
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }
}

/**
 * Puts the target under load for as long as is asked, and tells what came of it.
 *
 * @throws {Error} where not a single connection could do its work
 */
export async function bench({ targets, options }: ClientConfig, ends: LoadEnds): Promise<void> {
  const [target] = targets;
  const endpoint = await endpointOf(target, options);
  const totals = new LoadTotals();
  const stop = new AbortController();
  const over = AbortSignal.any([
    stop.signal,
    ...options.duration > 0 ? [AbortSignal.timeout(options.duration)] : [],
    ...ends.signal ? [ends.signal] : [],
  ]);
  const size = options.size ?? SIZES[options.mode];
  const connect = async () => {
    const { socket, took } = await connectWithRetry(endpoint, {
      options,
      tell: ends.tell,
      signal: over,
    });
    return { connection: new Connection(socket, { id: 1 }), took };
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  const progress = setInterval(
    tasks.guard(() =>
      ends.status?.(liveLine(totals, { elapsed: performance.now() - start, options }))
    ),
    PERIOD,
  );
  const work = { connect, totals, over, stop, message: echoMessage(size) };
  await Promise.all(
    Array.from({ length: options.connections }, () => keepWorking(options.mode, work)),
  );
  clearInterval(progress);
  if (stop.signal.reason instanceof NoEcho) {
    throw new Error(`${formatAddress(target)} ${stop.signal.reason.message}; ${MEASURABLE}`);
  }
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const result: LoadResult = {
    target: formatAddress(target),
    mode: options.mode,
    connections: options.connections,
    size,
    elapsed,
    cpuShare: (user + system) / 1000 / elapsed,
    ...totals,
  };
  await ends.print(options.json ? loadJson(result) : loadText(result));
  const fault = faultOf(result);
  if (fault !== undefined) throw new Error(`${formatAddress(target)} ${fault}`);
}

/** Why nothing was measured; `undefined` where something was. */
function faultOf({ mode, times, errors, bytesIn, bytesOut, elapsed }: LoadResult) {
  if (times.count > 0 || (mode === "stream" && bytesIn + bytesOut > 0)) return undefined;
  if (mode === "connect" || errors.size > 0 || bytesOut === 0) {
    return "bore nothing: see the errors above";
  }
  return `gave no echo: ${formatSize(bytesOut)} went there, and nothing came back in ` +
    `${formatDuration(elapsed)}; ${MEASURABLE}`;
}

/** What every connection works with. */
interface Work {
  connect(): Promise<{ connection: Connection; took: number }>;
  readonly totals: LoadTotals;
  readonly over: AbortSignal;
  /** Ends all of it. */
  readonly stop: AbortController;
  readonly message: Uint8Array;
}

/** One connection after the other, until it is over. */
async function keepWorking(mode: LoadConfig["mode"], work: Work): Promise<void> {
  while (!work.over.aborted) {
    try {
      const { connection, took } = await work.connect();
      await workOn(connection, { mode, work, took });
    } catch (error) {
      if (work.over.aborted) return;
      if (error instanceof NoEcho && work.totals.times.count === 0) return work.stop.abort(error);
      work.totals.fail(error);
      await delay(PAUSE, { signal: work.over }).catch(() => {});
    }
  }
}

async function workOn(
  connection: Connection,
  { mode, work, took }: { mode: LoadConfig["mode"]; work: Work; took: number },
): Promise<void> {
  const { totals, over } = work;
  using _ = connection;
  const leave = tasks.guard(() => connection.close("closed by us"));
  over.addEventListener("abort", leave);
  if (over.aborted) leave();
  totals.live++;
  try {
    if (mode === "connect") totals.times.record(took);
    else if (mode === "round-trip") await roundTrips(connection, work);
    else await stream(connection, work);
  } catch (error) {
    if (connection.reason !== "closed by us") throw error;
  } finally {
    totals.live--;
    over.removeEventListener("abort", leave);
  }
}

/** Sends a message, awaits as many bytes, and again: the time between is one round trip. */
async function roundTrips(connection: Connection, { totals, over, message }: Work): Promise<void> {
  while (!over.aborted) {
    const start = performance.now();
    await connection.write(message);
    totals.bytesOut += message.length;
    for (let echoed = 0; echoed < message.length;) {
      const chunk = await connection.read();
      if (chunk === null) throw new Error("the service ended the connection");
      totals.bytesIn += chunk.length;
      if (!isEcho(chunk, message.subarray(echoed))) throw new NoEcho(chunk);
      echoed += chunk.length;
    }
    totals.times.record(performance.now() - start);
  }
}

/** Sends and reads as fast as either goes. */
async function stream(connection: Connection, { totals, over, message }: Work): Promise<void> {
  const reading = (async () => {
    for await (const chunk of connection.chunks()) totals.bytesIn += chunk.length;
    if (!over.aborted) throw new Error("the service ended the connection");
  })();
  const writing = (async () => {
    while (!over.aborted) {
      await connection.write(message);
      totals.bytesOut += message.length;
    }
  })();
  try {
    await Promise.all([reading, writing]);
  } finally {
    connection.close(over.aborted ? "closed by us" : "error: one direction failed");
    await Promise.allSettled([reading, writing]);
  }
}

function liveLine(
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
