/**
 * Work that one worker does for the whole server. The supervisor appoints the leader, and another
 * one when that worker ends.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";

/** Work that starts when this worker becomes the leader, and is aborted when it no longer is. */
interface LeaderTask {
  readonly signal: AbortSignal;
  run(signal: AbortSignal): void;
}

const tasks = new TaskScope("ending the work of an outlet that stops", {
  consequence: "it ends with the worker",
});

/** Whether this worker is the leader, and the work that depends on it. */
export class Leadership {
  readonly #leaderTasks = new Set<LeaderTask>();
  #term: AbortController | undefined;

  /** Calls `run` whenever this worker becomes the leader, until the signal is aborted. */
  whileLeading(signal: AbortSignal, run: (signal: AbortSignal) => void): void {
    const task = { signal, run };
    this.#leaderTasks.add(task);
    signal.addEventListener("abort", tasks.guard(() => this.#leaderTasks.delete(task)), {
      once: true,
    });
    this.#begin(task);
  }

  /** Appoints or dismisses this worker as the leader. */
  set(leads: boolean): void {
    if (leads === (this.#term !== undefined)) return;
    this.#term?.abort();
    this.#term = leads ? new AbortController() : undefined;
    for (const task of this.#leaderTasks) this.#begin(task);
  }

  #begin({ signal, run }: LeaderTask): void {
    if (this.#term && !signal.aborted) run(AbortSignal.any([signal, this.#term.signal]));
  }
}
