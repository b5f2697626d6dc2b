/**
 * The outlets of a supervisor by number: those that are open, and those that drain.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";
import type { RemoteConnection, RemoteOutlet } from "./remote.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Outlets, and what is told of them as a whole. */
export class RemoteOutlets {
  readonly #publish: (event: OutletEvent) => void;
  #open: ReadonlyMap<number, RemoteOutlet> = new Map();
  readonly #draining = new Map<number, RemoteOutlet>();

  /** No outlets yet. */
  constructor(publish: (event: OutletEvent) => void) {
    this.#publish = publish;
  }

  /** The open ones, in the order in which they were asked for. */
  get open(): ReadonlyMap<number, RemoteOutlet> {
    return this.#open;
  }

  /** Those that drain. */
  get draining(): ReadonlyMap<number, RemoteOutlet> {
    return this.#draining;
  }

  /** The outlet of this number, open or draining. */
  find(id: number): RemoteOutlet | undefined {
    return this.#open.get(id) ?? this.#draining.get(id);
  }

  /** The open connection of this number. */
  findConnection(id: number): RemoteConnection | undefined {
    for (const outlet of this.all()) {
      const connection = outlet.find(id);
      if (connection) return connection;
    }
  }

  /** All of them. */
  *all(): Generator<RemoteOutlet> {
    yield* this.#open.values();
    yield* this.#draining.values();
  }

  /** These are open from now on; the others drain. */
  become(open: ReadonlyMap<number, RemoteOutlet>): void {
    const before = this.#open;
    this.#open = open;
    for (const [id, outlet] of before) {
      if (open.has(id)) continue;
      this.#draining.set(id, outlet);
      if (outlet.stop()) this.#finish(outlet);
    }
  }

  /** Publishes what has happened at an outlet, once it is published that it listens. */
  tell(event: OutletEvent, outlet: RemoteOutlet): void {
    if (!outlet.keep(event)) this.#publish(event);
  }

  /** Publishes that outlets listen that are new; of one that has lost all workers, once it has another. */
  announce(): void {
    for (const outlet of this.#open.values()) {
      for (const event of outlet.announced()) this.#publish(event);
    }
  }

  /** Takes note that a worker is done with an outlet, and has cut so many connections. */
  left(outlet: RemoteOutlet, { worker, cut }: { worker: WorkerHandle; cut: number }): void {
    if (outlet.left(worker, cut)) this.#finish(outlet);
  }

  #finish(outlet: RemoteOutlet): void {
    if (!this.#draining.delete(outlet.id)) return;
    for (const event of outlet.announced()) this.#publish(event);
    // Of one that no worker has opened nobody has heard.
    if (outlet.isAnnounced) this.#publish({ event: "stopped", ...outlet.about, cut: outlet.cut });
  }
}
