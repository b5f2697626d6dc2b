/**
 * One change of a server, in all of its workers.
 *
 * @module
 */
import type { WorkerTask } from "./messages.ts";
import { WorkerGoneError, type WorkerHandle } from "./worker_handle.ts";

/** A change and the workers that take part in it; one that ends meanwhile takes part no more. */
export class WorkerChange {
  readonly #workers: readonly WorkerHandle[];

  /** A change in which these take part. */
  constructor(workers: readonly WorkerHandle[]) {
    this.#workers = workers;
  }

  /** Those who take part still. */
  get workers(): WorkerHandle[] {
    return this.#workers.filter(({ isGone }) => !isGone);
  }

  /** Makes them ready, one after the other: modules that are loaded for it hold up one event loop at a time. */
  async prepare(task: (worker: WorkerHandle) => WorkerTask): Promise<void> {
    if (this.workers.length === 0) throw new Error("no worker is there just now: try again");
    for (const worker of this.workers) {
      await worker.request("prepare", task(worker)).catch((error) => {
        if (!(error instanceof WorkerGoneError)) throw error;
      });
    }
  }

  /** Has all of them become what they have bound; whoever takes the place of one that ends becomes it, too. */
  async commit(): Promise<void> {
    await Promise.allSettled(this.workers.map((worker) => worker.request("commit", undefined)));
  }

  /** Has all of them stay what they were. */
  async undo(): Promise<void> {
    await Promise.allSettled(this.workers.map((worker) => worker.request("undo", undefined)));
  }
}
