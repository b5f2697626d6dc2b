/**
 * The supervisor's handle of one worker.
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import type { WorkerMessage, WorkerMethods, WorkerPort, WorkerRequest } from "./messages.ts";
import type { WorkerSlot } from "./shared_counters.ts";

const tasks = new TaskScope("receiving from a worker", {
  consequence: "that message is lost",
});

/** The worker has ended or hangs, so the request will not be answered. */
export class WorkerEndedError extends Error {
  /** The name of the error. */
  override readonly name = "WorkerGoneError";
}

/** Options of {@linkcode WorkerHandle}. */
export interface WorkerHandleOptions {
  /** The channel to its thread. */
  readonly port: WorkerPort;
  /** Its index and its share of the counters. */
  readonly slot: WorkerSlot;
  /** Called with each message that is not a response. */
  onMessage(message: WorkerMessage): void;
  /** Called when the thread has failed; pending requests are rejected then. */
  onDied(reason: string): void;
}

/** A worker thread. Disposing it terminates the thread. */
export class WorkerHandle implements Disposable {
  /** Its index and its share of the counters. */
  readonly slot: WorkerSlot;
  /** When its last message came, as a `performance.now()` timestamp. */
  lastMessageAt: number = performance.now();
  /** Whether any message has come. Before that, the thread may still be loading its modules. */
  hasStarted = false;
  readonly #options: WorkerHandleOptions;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #lastNumber = 0;
  #hasEnded = false;

  /** The handle of a started thread. */
  constructor(options: WorkerHandleOptions) {
    this.slot = options.slot;
    this.#options = options;
    options.port.onmessage = tasks.guard(({ data }) => this.#receive(data));
    options.port.onerror = tasks.guard((event) => {
      event.preventDefault();
      this.#fail(event.message);
    });
  }

  /** The number of the worker, from 0. */
  get index(): number {
    return this.slot.index;
  }

  /** Whether it has ended or was terminated. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * Sends a request, and resolves to the result.
   *
   * @throws {WorkerEndedError} if the worker ends before it responds
   */
  request<Name extends keyof WorkerMethods>(
    name: Name,
    task: Parameters<WorkerMethods[Name]>[0],
  ): ReturnType<WorkerMethods[Name]> {
    const number = ++this.#lastNumber;
    const answer = Promise.withResolvers<unknown>();
    handledElsewhere(answer.promise);
    if (this.#hasEnded) answer.reject(new WorkerEndedError(`worker ${this.index} is gone`));
    else {
      this.#pending.set(number, answer);
      this.#options.port.postMessage({ number, name, task } as WorkerRequest);
    }
    return answer.promise as ReturnType<WorkerMethods[Name]>;
  }

  /** Terminates the thread, which closes its sockets, and rejects pending requests. */
  [Symbol.dispose](): void {
    this.#hasEnded = true;
    this.#options.port.terminate();
    for (const { reject } of this.#pending.values()) {
      reject(new WorkerEndedError(`worker ${this.index} is gone`));
    }
    this.#pending.clear();
  }

  #receive(message: WorkerMessage): void {
    if (this.#hasEnded) return;
    this.lastMessageAt = performance.now();
    this.hasStarted = true;
    switch (message.type) {
      case "done":
        return this.#takePending(message.number)?.resolve(message.value);
      case "failed":
        return this.#takePending(message.number)?.reject(new Error(message.reason));
      default:
        this.#options.onMessage(message);
    }
  }

  #takePending(number: number): PromiseWithResolvers<unknown> | undefined {
    const answer = this.#pending.get(number);
    this.#pending.delete(number);
    return answer;
  }

  #fail(reason: string): void {
    if (this.#hasEnded) return;
    this[Symbol.dispose]();
    this.#options.onDied(reason);
  }
}
