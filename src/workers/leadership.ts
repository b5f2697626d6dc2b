/**
 * Work that is done once a server: by the worker that the supervisor has made the leader, and by the next one should
 * that worker end.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";

/** Work that begins when this worker becomes the leader, and is aborted when it is no longer. */
interface Duty {
  readonly signal: AbortSignal;
  run(signal: AbortSignal): void;
}

const tasks = new TaskScope("ending the work of an outlet that stops", {
  without: "it ends with the worker",
});

/** Whether this worker is the leader, and what it does then. */
export class Leadership {
  readonly #duties = new Set<Duty>();
  #term: AbortController | undefined;

  /** Does something while this worker is the leader, until the signal is aborted. */
  whileLeading(signal: AbortSignal, run: (signal: AbortSignal) => void): void {
    const duty = { signal, run };
    this.#duties.add(duty);
    signal.addEventListener("abort", tasks.guard(() => this.#duties.delete(duty)), { once: true });
    this.#begin(duty);
  }

  /** Makes it the leader, or not. */
  set(leads: boolean): void {
    if (leads === (this.#term !== undefined)) return;
    this.#term?.abort();
    this.#term = leads ? new AbortController() : undefined;
    for (const duty of this.#duties) this.#begin(duty);
  }

  #begin({ signal, run }: Duty): void {
    if (this.#term && !signal.aborted) run(AbortSignal.any([signal, this.#term.signal]));
  }
}
