/**
 * Where names are looked up: a few at a time in this thread, and the others in a worker, which is started when it is
 * needed and ends when it is not.
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

/** Look-ups that this thread makes itself, and those that a worker has blocking threads for. */
const HERE = 4;
const IN_WORKER = 24;

/** How many look-ups there are threads for. */
export const LOOKUP_THREADS: number = HERE + IN_WORKER;

const tasks = new TaskScope("hearing of a name", {
  without: "it is looked up anew when it is needed",
});

/** Threads in which names are looked up. */
export class LookupThreads {
  #here = 0;
  #worker: Worker | undefined;
  #number = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly string[]>>();

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
    const number = ++this.#number;
    const answer = Promise.withResolvers<readonly string[]>();
    this.#waiting.set(number, answer);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ number, name } satisfies LookupRequest);
    try {
      return await answer.promise;
    } finally {
      this.#waiting.delete(number);
      if (this.#waiting.size === 0) this.#end();
    }
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
    this.#end();
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
