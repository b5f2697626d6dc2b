/**
 * Where names are looked up: a few at a time in this thread, and the others in workers, which are started when they
 * are needed and end when they are not.
 *
 * A look-up that nobody answers holds a blocking thread for up to a minute, whoever has given up waiting. Deno has 32
 * of them in each thread, and every file and every TLS handshake needs one: most of them are never taken for names.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { getaddrinfo } from "./getaddrinfo.ts";

/** A name that a worker is to look up. */
export interface LookupRequest {
  /** Tells it from others. */
  readonly number: number;
  /** The name. */
  readonly name: string;
}

/** What a worker found, or why it did not. */
export type LookupAnswer =
  & { /** That of the request. */ readonly number: number }
  & (
    | { readonly addresses: readonly string[] }
    | { readonly code: string | undefined; readonly message: string }
  );

/** Look-ups that this thread makes itself, those that a worker has blocking threads for, and the most workers. */
const HERE = 4;
const IN_WORKER = 24;
const WORKERS = 4;

/** How many look-ups there are threads for. */
export const LOOKUP_THREADS: number = HERE + WORKERS * IN_WORKER;

const tasks = new TaskScope("hearing of a name", {
  without: "it is looked up anew when it is needed",
});

/** Threads in which names are looked up. */
export class LookupThreads {
  #here = 0;
  readonly #workers = new Set<LookupWorker>();

  /**
   * Looks a name up.
   *
   * @throws {Error} whose `code` is the system's
   */
  async ask(name: string): Promise<readonly string[]> {
    if (this.#here >= HERE) return await this.#askWorker(name);
    this.#here++;
    try {
      return await getaddrinfo(name);
    } finally {
      this.#here--;
    }
  }

  async #askWorker(name: string): Promise<readonly string[]> {
    const worker = this.#workers.values().find(({ size }) => size < IN_WORKER) ??
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

/** One worker; disposing it ends it. */
class LookupWorker implements Disposable {
  readonly #worker = this.#start();
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly string[]>>();
  #number = 0;

  /** How many look-ups it makes. */
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
    worker.onmessage = tasks.guard(({ data }: MessageEvent<LookupAnswer>) => this.#hear(data));
    worker.onerror = tasks.guard((event: ErrorEvent) => {
      event.preventDefault();
      this.#fail(new Error(`names cannot be looked up: ${event.message}`));
    });
    return worker;
  }

  #hear(answer: LookupAnswer): void {
    const waiting = this.#waiting.get(answer.number);
    if ("addresses" in answer) waiting?.resolve(answer.addresses);
    else waiting?.reject(Object.assign(new Error(answer.message), { code: answer.code }));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}
