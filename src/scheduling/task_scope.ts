/**
 * Runs work that nobody awaits: timers, listeners, and background promises.
 *
 * An error there has no caller; it would become an unhandled rejection or an uncaught error, which ends the process.
 * A task scope catches it, and reports what failed and what still works:
 *
 * ```ts
 * const tasks = new TaskScope("watching the config file", { consequence: "SIGHUP still reloads it" });
 *
 * tasks.run(watch());                                              // a promise that nobody awaits
 * const timer = setInterval(tasks.guard(() => look()), 1_000);     // a timer; may be async, too
 * signal.addEventListener("abort", tasks.guard(stop));             // an event target
 * socket.on("error", tasks.guard((error) => fail(error)));         // a Node event emitter
 * handledElsewhere(this.opened);                                   // a promise that is awaited later
 * ```
 *
 * A scope has no state: create one per module or class. To remove a listener, keep what `guard` returned. The `resolve`
 * and `reject` of a promise cannot throw and need no guard. `tests/scheduling/unscoped_test.ts` finds work outside of a
 * scope.
 *
 * @module
 */

/** A failed task. */
export interface TaskFault {
  /** What was being done: `watching the config file`. */
  readonly task: string;
  /** What still works: `SIGHUP still reloads it`. */
  readonly consequence: string;
  /** What was thrown. */
  readonly error: unknown;
}

/** A callback that never throws; made by {@linkcode TaskScope.guard}. */
export interface Guarded<Arguments extends unknown[]> {
  /** Calls the callback. */
  (...args: Arguments): void;
  /** A type brand; the property does not exist. */
  readonly neverThrows: true;
}

/** Runs tasks of one kind and reports their errors. */
export class TaskScope {
  readonly #task: string;
  readonly #consequence: string;
  readonly #rejected = this.guard((error) => this.fail(error));

  /** `task` is what is done, `consequence` what that means for the rest when it fails; both are logged. */
  constructor(task: string, { consequence }: { readonly consequence: string }) {
    this.#task = task;
    this.#consequence = consequence;
  }

  /** Wraps a callback so that what it throws, or its promise rejects with, is reported. */
  guard<Arguments extends unknown[]>(
    callback: (...args: Arguments) => unknown,
  ): Guarded<Arguments> {
    return ((...args: Arguments) => this.run(() => callback(...args))) as Guarded<Arguments>;
  }

  /** Runs a function or awaits a promise in the background. */
  run(work: PromiseLike<unknown> | (() => unknown)): void {
    try {
      const result = typeof work === "function" ? work() : work;
      if (isPromiseLike(result)) result.then(undefined, this.#rejected);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Reports an error that was already caught. */
  fail(error: unknown): void {
    reportFault({ task: this.#task, consequence: this.#consequence, error });
  }
}

/** Prevents an unhandled rejection of a promise that is awaited elsewhere or later. */
export function handledElsewhere(promise: PromiseLike<unknown>): void {
  promise.then(undefined, ignore);
}

const ignore = new TaskScope("ignoring a rejection", { consequence: "nothing" }).guard(() => {});

/** By default, faults are uncaught errors, as without a scope. */
let reporter = ({ error }: TaskFault): void => reportError(error);

let isReporting = false;

/** Sets the reporter of faults in this thread. What it throws is lost. */
export function onTaskFault(report: (fault: TaskFault) => void): void {
  reporter = report;
}

/** Reports a fault, unless it comes from the reporter itself. */
function reportFault(fault: TaskFault): void {
  if (isReporting) return;
  isReporting = true;
  try {
    reporter(fault);
  } catch {
    // The reporter failed: there is no other.
  } finally {
    isReporting = false;
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}
