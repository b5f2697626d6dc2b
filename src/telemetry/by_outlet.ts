/**
 * Something for every outlet that is told of.
 *
 * @module
 */
import type { AboutOutlet } from "../events/events.ts";

/** One thing for each outlet, made when that is first asked for. */
export class ByOutlet<T> {
  readonly #make: (about: AboutOutlet) => T;
  readonly #all = new Map<number, T>();

  /** Nothing so far. */
  constructor(make: (about: AboutOutlet) => T) {
    this.#make = make;
  }

  /** What the outlet has. */
  of(about: AboutOutlet): T {
    let thing = this.#all.get(about.id);
    if (thing === undefined) this.#all.set(about.id, thing = this.#make(about));
    return thing;
  }

  /** It has nothing any more. */
  delete({ id }: AboutOutlet): void {
    this.#all.delete(id);
  }

  /** What all outlets have, by their numbers. */
  entries(): IterableIterator<[id: number, thing: T]> {
    return this.#all.entries();
  }

  /** What all outlets have. */
  values(): IterableIterator<T> {
    return this.#all.values();
  }
}
