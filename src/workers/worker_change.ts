/**
 * One change of a server, in all of its workers.
 *
 * @module
 */
import { type Address, isUnix } from "../endpoint/address.ts";
import type { DesiredState } from "../server/desired_state.ts";
import type { JoiningWorkers } from "./joining_workers.ts";
import type { Addresses, WorkerTask } from "./messages.ts";
import { WorkerGoneError, type WorkerHandle } from "./worker_handle.ts";

/** A change and the workers that take part in it; one that ends meanwhile takes part no more. */
export class WorkerChange {
  readonly #workers: readonly WorkerHandle[];

  private constructor(workers: readonly WorkerHandle[]) {
    this.#workers = workers;
  }

  /** Those who take part still. */
  get workers(): WorkerHandle[] {
    return this.#workers.filter(({ isGone }) => !isGone);
  }

  /**
   * Prepares a change in all workers; where there is none, or they all end, in those that come.
   *
   * @throws {Error} which says what can't be had; nothing has changed then
   */
  static async prepare(
    task: (worker: WorkerHandle) => WorkerTask,
    { joining, members }: { joining: JoiningWorkers; members(): readonly WorkerHandle[] },
  ): Promise<WorkerChange> {
    for (;;) {
      await joining.until(() => members().length > 0);
      const change = new WorkerChange(members());
      try {
        await change.#prepare(task);
      } catch (error) {
        await change.undo();
        throw error;
      }
      if (change.workers.length > 0) return change;
    }
  }

  /** Makes them ready, one after the other: modules that are loaded for it hold up one event loop at a time. */
  async #prepare(task: (worker: WorkerHandle) => WorkerTask): Promise<void> {
    for (const worker of this.workers) {
      await worker.request("prepare", task(worker)).catch((error) => {
        if (!(error instanceof WorkerGoneError)) throw error;
      });
    }
  }

  /**
   * One worker binds what is new, and finds out whether it can be had; the others follow, one by one.
   *
   * @returns where it is bound; `undefined`, where all of them have ended
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  async bind(onBound?: (worker: WorkerHandle) => Promise<void>): Promise<Addresses | undefined> {
    let found: Addresses | undefined;
    for (const worker of this.workers) {
      try {
        const addresses = found ?? new Map<number, Address>();
        const bound = await worker.request("bind", { addresses, alone: found === undefined });
        found ??= bound;
        await onBound?.(worker);
      } catch (error) {
        if (!(error instanceof WorkerGoneError)) throw error;
      }
    }
    return found;
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

/** What a worker is to be: a Unix socket has one worker, for its path can be bound once. */
export function shareOf(state: DesiredState, { index }: WorkerHandle): DesiredState {
  if (index === 0) return state;
  return { ...state, outlets: state.outlets.filter(({ config }) => !isUnix(config.listen)) };
}
