/**
 * A home for whatever nobody awaits: timers, listeners, and promises that run beside the rest.
 *
 * What throws there has no caller. Without a home it becomes an unhandled rejection or an uncaught error, which ends
 * the process. A task scope catches it, and tells what failed and what goes on without it:
 *
 * ```ts
 * const tasks = new TaskScope("watching the config file", { without: "SIGHUP still reloads it" });
 *
 * tasks.run(watch());                                              // a promise that nobody awaits
 * const timer = setInterval(tasks.guard(() => look()), 1_000);     // a timer; may be async, too
 * signal.addEventListener("abort", tasks.guard(stop));             // an event target
 * socket.on("error", tasks.guard((error) => fail(error)));         // an emitter of Node's
 * handledElsewhere(this.opened);                                   // whoever awaits it later is told
 * ```
 *
 * One scope serves all work of a kind; it holds nothing, so make it once, for a module or for a class. To remove a
 * listener again, keep what `guard` returned. A promise's own `resolve` and `reject` cannot throw: they need no guard.
 * `tests/scheduling/task_scope_test.ts` finds what has no home.
 *
 * @module
 */

/** What failed, and what that means. */
export interface TaskFault {
  /** What was being done: `watching the config file`. */
  readonly task: string;
  /** What goes on without it: `SIGHUP still reloads it`. */
  readonly without: string;
  /** What was thrown. */
  readonly error: unknown;
}

/** A callback out of which nothing is thrown. Only {@linkcode TaskScope.guard} makes one. */
export interface Guarded<Arguments extends unknown[]> {
  /** Does what the callback does. */
  (...args: Arguments): void;
  /** Tells it apart for the type checker; there is no such property. */
  readonly neverThrows: true;
}

/** Where work of one kind runs that nobody awaits. */
export class TaskScope {
  readonly #task: string;
  readonly #without: string;
  readonly #rejected = this.guard((error) => this.fail(error));

  /** `task` says what is done, `without` what goes on when it has failed; both stand in the log. */
  constructor(task: string, { without }: { readonly without: string }) {
    this.#task = task;
    this.#without = without;
  }

  /** The callback, as one that never throws, and whose promise never rejects unheard. */
  guard<Arguments extends unknown[]>(
    callback: (...args: Arguments) => unknown,
  ): Guarded<Arguments> {
    return ((...args: Arguments) => this.run(() => callback(...args))) as Guarded<Arguments>;
  }

  /** Lets a promise, or a function that is called at once, go on by itself. */
  run(work: PromiseLike<unknown> | (() => unknown)): void {
    try {
      const result = typeof work === "function" ? work() : work;
      if (isPromiseLike(result)) result.then(undefined, this.#rejected);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Tells of an error that was caught already. */
  fail(error: unknown): void {
    reportFault({ task: this.#task, without: this.#without, error });
  }
}

/** Marks a promise whose rejection is seen by whoever awaits it, now or later, as heard of. */
export function handledElsewhere(promise: PromiseLike<unknown>): void {
  promise.then(undefined, heard);
}

const heard = new TaskScope("hearing", { without: "nothing" }).guard(() => {});

/** Whoever tells of faults: until somebody does, they are uncaught errors, as they would be without a scope. */
let reporter = ({ error }: TaskFault): void => reportError(error);

let isReporting = false;

/** Tells faults to this from now on, in this thread. What it throws itself is lost. */
export function onTaskFault(report: (fault: TaskFault) => void): void {
  reporter = report;
}

/** Tells of a fault; one that comes while another is being told comes from telling it, and is not told again. */
function reportFault(fault: TaskFault): void {
  if (isReporting) return;
  isReporting = true;
  try {
    reporter(fault);
  } catch {
    // There is nobody left to tell.
  } finally {
    isReporting = false;
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}
