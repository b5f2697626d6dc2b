/**
 * Everything that waits for its turn in a history, and the chance that says whose turn it is. The same seed gives the
 * same chance.
 *
 * @module
 */

/** Something that could happen next. */
interface Step {
  /** Steps of one lane happen in order. */
  readonly lane: string;
  run(): void;
}

/** Deals out turns. */
export class Scheduler {
  #state: number;
  #steps: Step[] = [];

  constructor(seed: number) {
    this.#state = seed * 2654435761 >>> 0 || 1;
  }

  /** A number from 0 up, below `limit` (xorshift32). */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % limit;
  }

  /** One of these. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** Lets something happen some time, after all that is in its lane already. */
  add(lane: string, run: () => void): void {
    this.#steps.push({ lane, run });
  }

  /** Waits for a turn. */
  turn(lane: string): Promise<void> {
    return new Promise((resolve) => this.add(lane, resolve));
  }

  /** Forgets what waits in a lane. */
  clear(lane: string): void {
    this.#steps = this.#steps.filter((step) => step.lane !== lane);
  }

  /** Lets one thing happen; `false` where nothing waits. */
  step(): boolean {
    const first = new Map<string, Step>();
    for (const step of this.#steps) if (!first.has(step.lane)) first.set(step.lane, step);
    if (first.size === 0) return false;
    const step = this.pick([...first.values()]);
    this.#steps.splice(this.#steps.indexOf(step), 1);
    step.run();
    return true;
  }
}
