/**
 * One change of a server, applied in all workers by two-phase commit.
 *
 * @module
 */
import { type Address, isUdp, isUnix } from "../endpoint/address.ts";
import type { DesiredOutlet, DesiredState } from "../server/desired_state.ts";
import type { JoiningWorkers } from "./joining_workers.ts";
import type { Addresses, WorkerTask } from "./messages.ts";
import { WorkerEndedError, type WorkerHandle } from "./worker_handle.ts";

/** A change and its workers, except those that end meanwhile. */
export class WorkerChange {
  readonly #workers: readonly WorkerHandle[];

  private constructor(workers: readonly WorkerHandle[]) {
    this.#workers = workers;
  }

  /** The workers that still take part. */
  get workers(): WorkerHandle[] {
    return this.#workers.filter(({ hasEnded }) => !hasEnded);
  }

  /**
   * Prepares a change in all workers. If there are none, or all of them end, it waits for new ones.
   *
   * @throws {Error} if a worker cannot prepare it; the change is undone then
   */
  static async prepare(
    task: (worker: WorkerHandle) => WorkerTask,
    { joining, members }: { joining: JoiningWorkers; members(): readonly WorkerHandle[] },
  ): Promise<WorkerChange> {
    for (;;) {
      await joining.waitUntil(() => members().length > 0);
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

  /** Sequential, so that loading modules blocks only one event loop at a time. */
  async #prepare(task: (worker: WorkerHandle) => WorkerTask): Promise<void> {
    for (const worker of this.workers) {
      await worker.request("prepare", task(worker)).catch((error) => {
        if (!(error instanceof WorkerEndedError)) throw error;
      });
    }
  }

  /**
   * Binds in one worker first, to find out whether it is possible, then in the others.
   *
   * @returns the bound addresses; `undefined` if all workers have ended
   * @throws {Error} with the address that cannot be bound, and the reason
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
        if (!(error instanceof WorkerEndedError)) throw error;
      }
    }
    return found;
  }

  /** Commits in all workers. Those that end are replaced by workers with the new state. */
  async commit(): Promise<void> {
    await Promise.allSettled(this.workers.map((worker) => worker.request("commit", undefined)));
  }

  /** Undoes the change in all workers. */
  async undo(): Promise<void> {
    await Promise.allSettled(this.workers.map((worker) => worker.request("undo", undefined)));
  }
}

/**
 * Whether only worker 0 serves an outlet: a Unix socket, as a path is bound once, or UDP, as the
 * kernel does not share the clients of a port out.
 */
export function isOfOneWorker({ config: { listen } }: DesiredOutlet): boolean {
  return isUnix(listen) || isUdp(listen);
}

/** A worker's part of the state. */
export function shareOf(state: DesiredState, { index }: WorkerHandle): DesiredState {
  if (index === 0) return state;
  return {
    ...state,
    outlets: state.outlets.filter((outlet) => !isOfOneWorker(outlet)),
  };
}
