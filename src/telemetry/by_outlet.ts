/**
 * A map with a value per outlet.
 *
 * @module
 */
import type { AboutOutlet } from "../events/events.ts";

/** A value per outlet, created when it is first requested. */
export class ByOutlet<T> {
  readonly #make: (about: AboutOutlet) => T;
  readonly #all = new Map<number, T>();

  /** `make` creates the value of an outlet. */
  constructor(make: (about: AboutOutlet) => T) {
    this.#make = make;
  }

  /** The value of the outlet. */
  of(about: AboutOutlet): T {
    let thing = this.#all.get(about.id);
    if (thing === undefined) this.#all.set(about.id, thing = this.#make(about));
    return thing;
  }

  /** Deletes the value of the outlet. */
  delete({ id }: AboutOutlet): void {
    this.#all.delete(id);
  }

  /** All values, with the outlets' numbers. */
  entries(): IterableIterator<[id: number, thing: T]> {
    return this.#all.entries();
  }

  /** All values. */
  values(): IterableIterator<T> {
    return this.#all.values();
  }
}
