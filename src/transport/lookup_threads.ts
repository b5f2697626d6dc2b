/**
 * The threads of name look-ups: a few in this thread, the others in workers that are started on
 * demand and end when idle. An unanswered look-up occupies a blocking thread for up to a minute and
 * cannot be cancelled. Deno has 32 blocking threads for each thread, which files and TLS handshakes
 * need too, so most of them are never used for names.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { getaddrinfo } from "./getaddrinfo.ts";

/** A request to a worker. */
export interface LookupRequest {
  /** The number of the request. */
  readonly number: number;
  /** The name to look up. */
  readonly name: string;
}

/** A worker's response: the addresses or the error. */
export type LookupAnswer =
  & { /** That of the request. */ readonly number: number }
  & (
    | { readonly addresses: readonly string[] }
    | { readonly code: string | undefined; readonly message: string }
  );

/** Concurrent look-ups in this thread and in each worker, and the maximum number of workers. */
const PER_THREAD = 4;
const PER_WORKER = 24;
const WORKERS = 4;

/** The maximum number of concurrent look-ups. */
export const LOOKUP_THREADS: number = PER_THREAD + WORKERS * PER_WORKER;

const tasks = new TaskScope("receiving a look-up result", {
  consequence: "the name is looked up again when needed",
});

/** Looks up names in this thread and in workers. */
export class LookupThreads {
  #here = 0;
  readonly #workers = new Set<LookupWorker>();

  /**
   * Looks up a name.
   * @throws {Error} with the system's `code`
   */
  async ask(name: string): Promise<readonly string[]> {
    if (this.#here >= PER_THREAD) return await this.#askWorker(name);
    this.#here++;
    try {
      return await getaddrinfo(name);
    } finally {
      this.#here--;
    }
  }

  async #askWorker(name: string): Promise<readonly string[]> {
    const worker = this.#workers.values().find(({ size }) => size < PER_WORKER) ??
      new LookupWorker();
    this.#workers.add(worker);
    try {
      return await worker.ask(name);
    } finally {
      if (worker.size === 0) {
        this.#workers.delete(worker);
        worker[Symbol.dispose]();
      }
    }
  }
}

/** One worker. Disposing it terminates it. */
class LookupWorker implements Disposable {
  readonly #worker = this.#start();
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly string[]>>();
  #number = 0;

  /** The number of its pending look-ups. */
  get size(): number {
    return this.#waiting.size;
  }

  async ask(name: string): Promise<readonly string[]> {
    const number = ++this.#number;
    const answer = Promise.withResolvers<readonly string[]>();
    this.#waiting.set(number, answer);
    this.#worker.postMessage({ number, name } satisfies LookupRequest);
    try {
      return await answer.promise;
    } finally {
      this.#waiting.delete(number);
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #start(): Worker {
    const module = new URL("./lookup_worker.ts", import.meta.url);
    const worker = new Worker(module, { type: "module", name: "names" });
    worker.onmessage = tasks.guard(({ data }: MessageEvent<LookupAnswer>) => this.#onAnswer(data));
    worker.onerror = tasks.guard((event: ErrorEvent) => {
      event.preventDefault();
      this.#fail(new Error(`names cannot be looked up: ${event.message}`));
    });
    return worker;
  }

  #onAnswer(answer: LookupAnswer): void {
    const waiting = this.#waiting.get(answer.number);
    if ("addresses" in answer) waiting?.resolve(answer.addresses);
    else waiting?.reject(Object.assign(new Error(answer.message), { code: answer.code }));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}
