/**
 * The thread that compares passwords: a hash takes 65 ms and more, which would delay all clients.
 *
 * @module
 */
import { TaskScope } from "../../../scheduling/task_scope.ts";

/** A question to the worker. */
export interface PasswordQuestion {
  /** Its number. */
  readonly number: number;
  /** The password. */
  readonly password: string;
  /** The hash that it is compared with. */
  readonly hash: string;
}

/** The worker's answer. */
export interface PasswordAnswer {
  /** The number of the question. */
  readonly number: number;
  /** Whether the password is the one of the hash. */
  readonly isRight: boolean;
}

/** The most passwords that wait: further ones are refused, so that no flood of them uses up memory. */
const MAX_WAITING = 64;

const tasks = new TaskScope("comparing passwords", { consequence: "they are compared again" });

/** One worker, which is started on demand and ended when nothing waits. */
export class PasswordThread {
  readonly #waiting = new Map<number, PromiseWithResolvers<boolean>>();
  #worker: Worker | undefined;
  #number = 0;

  /** Whether no more passwords are taken at the moment. */
  get isBusy(): boolean {
    return this.#waiting.size >= MAX_WAITING;
  }

  /**
   * Whether the password is the one of the hash.
   * @throws {Error} if the worker failed
   */
  async compare(password: string, hash: string): Promise<boolean> {
    const number = ++this.#number;
    const answer = Promise.withResolvers<boolean>();
    this.#waiting.set(number, answer);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ number, password, hash } satisfies PasswordQuestion);
    try {
      return await answer.promise;
    } finally {
      this.#waiting.delete(number);
      if (this.#waiting.size === 0) this.#end();
    }
  }

  #start(): Worker {
    const module = new URL("./password_worker.ts", import.meta.url);
    const worker = new Worker(module, { type: "module", name: "passwords" });
    worker.onmessage = tasks.guard(({ data }: MessageEvent<PasswordAnswer>) =>
      this.#waiting.get(data.number)?.resolve(data.isRight)
    );
    worker.onerror = tasks.guard((event: ErrorEvent) => {
      event.preventDefault();
      this.#end();
      const error = new Error(`passwords cannot be compared: ${event.message}`);
      for (const { reject } of this.#waiting.values()) reject(error);
    });
    return worker;
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
