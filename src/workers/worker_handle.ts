/**
 * One worker, as its supervisor sees it.
 *
 * @module
 */
import type { WorkerMessage, WorkerMethods, WorkerRequest } from "./messages.ts";

/** Told of what a worker says by itself. */
export interface WorkerHandleOptions {
  /** The module that it runs. */
  readonly module: URL;
  /** Its number, from 0. */
  readonly index: number;
  /** Told of what it says that is no answer. */
  onMessage(told: WorkerMessage): void;
  /** Told that it is no more, and why; what it was asked for is not answered then. */
  onDied(reason: string): void;
}

/** A worker: a thread that does what it is asked to. Disposing it ends it at once. */
export class WorkerHandle implements Disposable {
  /** Its number, from 0. */
  readonly index: number;
  readonly #worker: Worker;
  readonly #options: WorkerHandleOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastNumber = 0;
  #gone = false;

  /** Starts the thread. */
  constructor(options: WorkerHandleOptions) {
    this.index = options.index;
    this.#options = options;
    this.#worker = new Worker(options.module, { type: "module", name: `worker ${options.index}` });
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#die(event.message);
    };
  }

  /** Whether it is no more. */
  get hasExited(): boolean {
    return this.#gone;
  }

  /** Asks for something, and resolves to the answer. */
  request<Name extends keyof WorkerMethods>(
    name: Name,
    task: Parameters<WorkerMethods[Name]>[0],
  ): ReturnType<WorkerMethods[Name]> {
    const number = ++this.#lastNumber;
    const answer = Promise.withResolvers<unknown>();
    if (this.#gone) answer.reject(new Error("the worker is gone"));
    else {
      this.#waiting.set(number, answer);
      this.#worker.postMessage({ number, name, task } as WorkerRequest);
    }
    return answer.promise as ReturnType<WorkerMethods[Name]>;
  }

  /** Ends the thread, and its sockets. */
  [Symbol.dispose](): void {
    this.#gone = true;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error("the worker is gone"));
    this.#waiting.clear();
  }

  #hear(told: WorkerMessage): void {
    if (this.#gone) return;
    switch (told.type) {
      case "done":
        return this.#take(told.number)?.resolve(told.value);
      case "failed":
        return this.#take(told.number)?.reject(new Error(told.reason));
      case "died":
        return this.#die(told.reason);
      default:
        this.#options.onMessage(told);
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
