/**
 * One worker, as its crew sees it.
 *
 * @module
 */
import type { Order, Tasks, Told } from "./messages.ts";

/** Told of what a worker says by itself. */
export interface HandOptions {
  /** The module that it runs. */
  readonly module: URL;
  /** Its number, from 0. */
  readonly index: number;
  /** Told of what it says that is no answer. */
  hear(told: Told): void;
  /** Told that it is no more, and why; what it was asked for is not answered then. */
  died(reason: string): void;
}

/** A worker: a thread that does what it is asked to. Disposing it ends it at once. */
export class Hand implements Disposable {
  /** Its number, from 0. */
  readonly index: number;
  readonly #worker: Worker;
  readonly #options: HandOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastNumber = 0;
  #gone = false;

  /** Starts the thread. */
  constructor(options: HandOptions) {
    this.index = options.index;
    this.#options = options;
    this.#worker = new Worker(options.module, { type: "module", name: `worker ${options.index}` });
    this.#worker.onmessage = ({ data }: MessageEvent<Told>) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#die(event.message);
    };
  }

  /** Whether it is no more. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** Asks for something, and resolves to the answer. */
  ask<Name extends keyof Tasks>(
    name: Name,
    task: Parameters<Tasks[Name]>[0],
  ): ReturnType<Tasks[Name]> {
    const number = ++this.#lastNumber;
    const answer = Promise.withResolvers<unknown>();
    if (this.#gone) answer.reject(new Error("the worker is gone"));
    else {
      this.#waiting.set(number, answer);
      this.#worker.postMessage({ number, name, task } as Order);
    }
    return answer.promise as ReturnType<Tasks[Name]>;
  }

  /** Ends the thread, and its sockets. */
  [Symbol.dispose](): void {
    this.#gone = true;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error("the worker is gone"));
    this.#waiting.clear();
  }

  #hear(told: Told): void {
    if (this.#gone) return;
    switch (told.told) {
      case "done":
        return this.#take(told.number)?.resolve(told.value);
      case "failed":
        return this.#take(told.number)?.reject(new Error(told.reason));
      case "died":
        return this.#die(told.reason);
      default:
        this.#options.hear(told);
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
    this.#options.died(reason);
  }
}
