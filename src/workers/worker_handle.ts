/**
 * One worker, as its supervisor sees it.
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import type { WorkerMessage, WorkerMethods, WorkerPort, WorkerRequest } from "./messages.ts";
import type { WorkerSlot } from "./shared_counters.ts";

const tasks = new TaskScope("hearing from a worker", {
  without: "that message is lost",
});

/** The worker that was asked has ended, or hangs: it will never answer. */
export class WorkerGoneError extends Error {
  /** Tells it from what workers answer. */
  override readonly name = "WorkerGoneError";
}

/** Told of what a worker says by itself. */
export interface WorkerHandleOptions {
  /** The way to its thread. */
  readonly port: WorkerPort;
  /** Which one it is, and where it counts. */
  readonly slot: WorkerSlot;
  /** Told of what it says that is no answer. */
  onMessage(message: WorkerMessage): void;
  /** Told that it is no more, and why; what it was asked for is not answered then. */
  onDied(reason: string): void;
}

/** A worker: a thread that does what it is asked to. Disposing it ends it at once. */
export class WorkerHandle implements Disposable {
  /** Which one it is, and where it counts. */
  readonly slot: WorkerSlot;
  /** When it was last heard of, on the clock of `performance.now()`. */
  heardAt: number = performance.now();
  /** Whether it has said anything: before that it loads its modules, and can say nothing. */
  hasStarted = false;
  readonly #options: WorkerHandleOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastNumber = 0;
  #gone = false;

  /** Listens to a thread that has been started. */
  constructor(options: WorkerHandleOptions) {
    this.slot = options.slot;
    this.#options = options;
    options.port.onmessage = tasks.guard(({ data }) => this.#receive(data));
    options.port.onerror = tasks.guard((event) => {
      event.preventDefault();
      this.#die(event.message);
    });
  }

  /** Its number among the workers, from 0. */
  get index(): number {
    return this.slot.index;
  }

  /** Whether it is no more. */
  get isGone(): boolean {
    return this.#gone;
  }

  /**
   * Asks for something, and resolves to the answer.
   *
   * @throws {WorkerGoneError} where it ends before it answers
   */
  request<Name extends keyof WorkerMethods>(
    name: Name,
    task: Parameters<WorkerMethods[Name]>[0],
  ): ReturnType<WorkerMethods[Name]> {
    const number = ++this.#lastNumber;
    const answer = Promise.withResolvers<unknown>();
    handledElsewhere(answer.promise);
    if (this.#gone) answer.reject(new WorkerGoneError(`worker ${this.index} is gone`));
    else {
      this.#waiting.set(number, answer);
      this.#options.port.postMessage({ number, name, task } as WorkerRequest);
    }
    return answer.promise as ReturnType<WorkerMethods[Name]>;
  }

  /** Ends the thread, and its sockets. */
  [Symbol.dispose](): void {
    this.#gone = true;
    this.#options.port.terminate();
    for (const { reject } of this.#waiting.values()) {
      reject(new WorkerGoneError(`worker ${this.index} is gone`));
    }
    this.#waiting.clear();
  }

  #receive(message: WorkerMessage): void {
    if (this.#gone) return;
    this.heardAt = performance.now();
    this.hasStarted = true;
    switch (message.type) {
      case "done":
        return this.#take(message.number)?.resolve(message.value);
      case "failed":
        return this.#take(message.number)?.reject(new Error(message.reason));
      default:
        this.#options.onMessage(message);
    }
  }

  #take(number: number): PromiseWithResolvers<unknown> | undefined {
    const answer = this.#waiting.get(number);
    this.#waiting.delete(number);
    return answer;
  }

  #die(reason: string): void {
    if (this.#gone) return;
    this[Symbol.dispose]();
    this.#options.onDied(reason);
  }
}
