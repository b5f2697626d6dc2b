/**
 * The pending steps of a history, run in a pseudo-random order that depends only on the seed.
 *
 * @module
 */

/** A pending step. */
interface Step {
  /** Steps of one event loop run in order. */
  readonly loop: string;
  run(): void;
}

/** Runs pending steps in a pseudo-random order. */
export class Scheduler {
  #state: number;
  #steps: Step[] = [];

  constructor(seed: number) {
    this.#state = seed * 2654435761 >>> 0 || 1;
  }

  /** A random integer from 0 to `limit` - 1 (xorshift32). */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % limit;
  }

  /** A random choice. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** Adds a step, which runs some time after all others of its event loop. */
  add(loop: string, run: () => void): void {
    this.#steps.push({ loop, run });
  }

  /** Resolves when its step runs. */
  turn(loop: string): Promise<void> {
    return new Promise((resolve) => this.add(loop, resolve));
  }

  /** Discards the pending steps of an event loop. */
  clear(loop: string): void {
    this.#steps = this.#steps.filter((step) => step.loop !== loop);
  }

  /** Runs one step; `false` if there is none. */
  step(): boolean {
    const first = new Map<string, Step>();
    for (const step of this.#steps) if (!first.has(step.loop)) first.set(step.loop, step);
    if (first.size === 0) return false;
    const step = this.pick([...first.values()]);
    this.#steps.splice(this.#steps.indexOf(step), 1);
    step.run();
    return true;
  }
}
