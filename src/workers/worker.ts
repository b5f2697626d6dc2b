/**
 * The main module of a worker thread.
 *
 * @module
 */
import { rememberPassphrase } from "../transport/tls/passphrases.ts";
import { LoopDelay } from "../scheduling/loop_delay.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { trimHeap } from "../server/heap_trim.ts";
import { publishFaults } from "../telemetry/faults.ts";
import type { WorkerMessage, WorkerRequest } from "./messages.ts";
import { WorkerThread } from "./worker_thread.ts";

/** How often counts are reported to the supervisor, in milliseconds. */
const REPORT_INTERVAL = 1_000;

/** The part of `DedicatedWorkerGlobalScope` that is used here. */
const thread = globalThis as unknown as {
  onmessage: (message: { data: WorkerRequest }) => void;
  postMessage(message: WorkerMessage, transfer?: Transferable[]): void;
};

const worker = new WorkerThread({
  post: (message, transfer = []) => thread.postMessage(message, transfer),
  // Everything here runs until the worker is terminated.
  onStart({ loopDelay, passphrases }) {
    new LoopDelay(loopDelay).follow();
    trimHeap();
    for (const [key, passphrase] of passphrases) rememberPassphrase(key, passphrase);
  },
});

const tasks = new TaskScope("a task in a worker", { consequence: "the worker continues" });

thread.onmessage = tasks.guard(({ data }: { data: WorkerRequest }) => worker.handle(data));

publishFaults(worker.eventBus);

setInterval(tasks.guard(() => worker.reportCounts()), REPORT_INTERVAL);
