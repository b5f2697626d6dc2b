/**
 * The thread of one worker of a supervisor.
 *
 * @module
 */
import { rememberPassphrase } from "../transport/tls/passphrases.ts";
import { LoopDelay } from "../scheduling/loop_delay.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { trimHeap } from "../server/heap_trim.ts";
import { publishFaults } from "../telemetry/faults.ts";
import type { WorkerMessage, WorkerRequest } from "./messages.ts";
import { WorkerHost } from "./worker_host.ts";

/** How often the supervisor is told what connections and buses have carried, in milliseconds. */
const COUNTING = 1_000;

/** A worker's own thread, as far as it is used here. */
const thread = globalThis as unknown as {
  onmessage: (message: { data: WorkerRequest }) => void;
  postMessage(message: WorkerMessage, transfer?: Transferable[]): void;
};

const host = new WorkerHost({
  post: (message, transfer = []) => thread.postMessage(message, transfer),
  // Until the worker is terminated, as all that it does.
  onStart({ loopDelay, passphrases }) {
    new LoopDelay(loopDelay).follow();
    trimHeap();
    for (const [key, passphrase] of passphrases) rememberPassphrase(key, passphrase);
  },
});

const tasks = new TaskScope("a worker's own work", { without: "the worker goes on" });

thread.onmessage = tasks.guard(({ data }: { data: WorkerRequest }) => host.handle(data));

publishFaults(host.eventBus);

setInterval(tasks.guard(() => host.tellCounts()), COUNTING);
