/**
 * The connections of a load test, and what they count.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { LoadConfig } from "../config/measure_options.ts";
import type { Connection } from "../connection/connection.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { isEcho, NoEcho } from "./echo.ts";
import { Histogram } from "./histogram.ts";

/** The most kinds of errors that are counted separately, so that a peer cannot use up memory. */
const MAX_KINDS = 20;

/** The pause after an error, in milliseconds. */
const ERROR_PAUSE = 100;

const tasks = new TaskScope("ending a load test", { consequence: "its connections continue" });

/** The totals of a load test, in constant memory. */
export class LoadTotals {
  /** Round trips or connects, in milliseconds. */
  readonly times: Histogram = new Histogram();
  /** How often each error occurred. */
  readonly errors: Map<string, number> = new Map();
  /** Bytes sent. */
  bytesOut = 0;
  /** Bytes received. */
  bytesIn = 0;
  /** Open connections. */
  live = 0;

  /** Counts an error. */
  fail(error: unknown): void {
    const reason = explain(error);
    const kind = this.errors.has(reason) || this.errors.size < MAX_KINDS ? reason : "others";
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }
}

/** What all connections of a load test share. */
export interface LoadWork {
  /** What each connection repeats. */
  readonly mode: LoadConfig["mode"];
  /** The message to send. */
  readonly message: Uint8Array;
  /** Where results are counted. */
  readonly totals: LoadTotals;
  /** Aborts the test. */
  readonly stop: AbortController;
  /** Aborted at the end of the test. */
  readonly signal: AbortSignal;
  /** Opens a connection; `elapsed` is in milliseconds. */
  connect(): Promise<{ connection: Connection; elapsed: number }>;
}

/** Opens one connection after the other until the test is over. */
export async function repeatUntilOver(work: LoadWork): Promise<void> {
  const { totals, stop, signal } = work;
  while (!signal.aborted) {
    try {
      await useConnection(await work.connect(), work);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof NoEcho && totals.times.count === 0) return stop.abort(error);
      totals.fail(error);
      await delay(ERROR_PAUSE, { signal }).catch(() => {});
    }
  }
}

async function useConnection(
  { connection, elapsed }: { connection: Connection; elapsed: number },
  work: LoadWork,
): Promise<void> {
  const { mode, totals, signal } = work;
  using _ = connection;
  const close = tasks.guard(() => connection.close("closed by us"));
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  totals.live++;
  try {
    if (mode === "connect") totals.times.record(elapsed);
    else if (mode === "round-trip") await roundTrips(connection, work);
    else await stream(connection, work);
  } catch (error) {
    if (connection.reason !== "closed by us") throw error;
  } finally {
    totals.live--;
    signal.removeEventListener("abort", close);
  }
}

/** The error that is counted if the service is the first to close. */
export const SERVICE_CLOSED = "the service closed the connection";

/** Sends the message and waits for its echo, repeatedly. */
async function roundTrips(
  connection: Connection,
  { totals, signal, message }: LoadWork,
): Promise<void> {
  while (!signal.aborted) {
    const start = performance.now();
    await connection.write(message);
    totals.bytesOut += message.length;
    for (let echoed = 0; echoed < message.length;) {
      const chunk = await connection.read();
      if (chunk === null) throw new Error(SERVICE_CLOSED);
      totals.bytesIn += chunk.length;
      if (!isEcho(chunk, message.subarray(echoed))) throw new NoEcho(chunk);
      echoed += chunk.length;
    }
    totals.times.record(performance.now() - start);
  }
}

/** Sends and receives independently, as fast as possible. */
async function stream(
  connection: Connection,
  { totals, signal, message }: LoadWork,
): Promise<void> {
  const reading = (async () => {
    for await (const chunk of connection.chunks()) totals.bytesIn += chunk.length;
    if (!signal.aborted) throw new Error(SERVICE_CLOSED);
  })();
  const writing = (async () => {
    while (!signal.aborted) {
      await connection.write(message);
      totals.bytesOut += message.length;
    }
  })();
  try {
    await Promise.all([reading, writing]);
  } finally {
    connection.close(signal.aborted ? "closed by us" : "error: one direction failed");
    await Promise.allSettled([reading, writing]);
  }
}
