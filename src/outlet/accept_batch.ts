/**
 * What comes first when many clients come at once.
 *
 * @module
 */

import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("letting clients begin", { without: "the next ones begin" });

/** How many clients begin in one turn of the event loop. */
const MAX_ACCEPT = 32;

/**
 * Shares the turns of the event loop out to those who come. To take clients out of the kernel's queue is quick, and to
 * begin with them is not: in a burst they are all taken out first, because whoever finds that queue full has to wait
 * a second before it tries again (RFC 6298).
 */
export class AcceptBatch implements Disposable {
  #begun = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is somebody's turn; `undefined` where that is now. */
  next(): Promise<void> | undefined {
    if (this.#begun === 0) this.#watch();
    if (this.#begun++ < MAX_ACCEPT) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Shares out no more; to be called when nobody waits. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    this.#timer = setTimeout(tasks.guard(() => this.#turn()));
  }

  #turn(): void {
    const begin = this.#waiting.splice(0, MAX_ACCEPT);
    this.#begun = begin.length;
    if (begin.length > 0) this.#watch();
    for (const resolve of begin) resolve();
  }
}
