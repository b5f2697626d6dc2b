/**
 * Something for every outlet that is told of.
 *
 * @module
 */
import { type Address, formatAddress } from "../endpoint/address.ts";
import type { AboutOutlet } from "../events/events.ts";

/** One thing for each outlet, made when that is first asked for. */
export class ByOutlet<T> {
  readonly #make: (about: AboutOutlet) => T;
  readonly #all = new Map<string, { readonly outlet: string; readonly thing: T }>();
  /** The same by the outlet's address, which is one object for all that happens there in this thread. */
  readonly #nearby = new WeakMap<Address, { readonly outlet: string; readonly thing: T }>();

  /** Nothing so far. */
  constructor(make: (about: AboutOutlet) => T) {
    this.#make = make;
  }

  /** What the outlet has. It is asked for with every client, so it is found without forming a key. */
  of(about: AboutOutlet): T {
    const { outlet, address } = about;
    const near = this.#nearby.get(address);
    if (near?.outlet === outlet) return near.thing;
    const thing = this.#all.get(outletKey(outlet, address))?.thing ?? this.#make(about);
    this.set(about, thing);
    return thing;
  }

  /** What the outlet has from now on. */
  set(about: AboutOutlet, thing: T): void {
    const { outlet, address } = about;
    const entry = { outlet, thing };
    this.#all.set(outletKey(outlet, address), entry);
    this.#nearby.set(address, entry);
  }

  /** It has nothing any more. */
  delete({ outlet, address }: AboutOutlet): void {
    this.#all.delete(outletKey(outlet, address));
    this.#nearby.delete(address);
  }

  /** What all outlets have, by {@linkcode outletKey}. */
  *entries(): Generator<[key: string, thing: T]> {
    for (const [key, { thing }] of this.#all) yield [key, thing];
  }

  /** What all outlets have. */
  *values(): Generator<T> {
    for (const { thing } of this.#all.values()) yield thing;
  }
}

/** What tells one outlet from another. */
export function outletKey(name: string, address: Address): string {
  return `${name} ${formatAddress(address)}`;
}
