/**
 * The open and draining outlets of a supervisor, by id.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";
import type { RemoteConnection, RemoteOutlet } from "./remote.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Outlets, and the order in which their events are published. */
export class RemoteOutlets {
  readonly #publish: (event: OutletEvent) => void;
  #open: ReadonlyMap<number, RemoteOutlet> = new Map();
  readonly #draining = new Map<number, RemoteOutlet>();

  /** An empty set of outlets. */
  constructor(publish: (event: OutletEvent) => void) {
    this.#publish = publish;
  }

  /** The open outlets, in the order of the config. */
  get open(): ReadonlyMap<number, RemoteOutlet> {
    return this.#open;
  }

  /** The draining outlets. */
  get draining(): ReadonlyMap<number, RemoteOutlet> {
    return this.#draining;
  }

  /** The outlet with this id, open or draining. */
  find(id: number): RemoteOutlet | undefined {
    return this.#open.get(id) ?? this.#draining.get(id);
  }

  /** The open connection with this id. */
  findConnection(id: number): RemoteConnection | undefined {
    for (const outlet of this.all()) {
      const connection = outlet.find(id);
      if (connection) return connection;
    }
  }

  /** All outlets, open and draining. */
  *all(): Generator<RemoteOutlet> {
    yield* this.#open.values();
    yield* this.#draining.values();
  }

  /** Replaces the open outlets; those that are missing now drain. */
  replace(open: ReadonlyMap<number, RemoteOutlet>): void {
    const before = this.#open;
    this.#open = open;
    for (const [id, outlet] of before) {
      if (open.has(id)) continue;
      this.#draining.set(id, outlet);
      if (outlet.stop()) this.#finish(outlet);
    }
  }

  /** Publishes an event of an outlet, after its `listening` event. */
  publish(event: OutletEvent, outlet: RemoteOutlet): void {
    if (!outlet.holdBack(event)) this.#publish(event);
  }

  /** Publishes `listening` for new outlets that a worker serves, and the events held back. */
  announce(): void {
    for (const outlet of this.#open.values()) {
      for (const event of outlet.takeHeldBack()) this.#publish(event);
    }
  }

  /** Removes a worker from an outlet; `aborted` is the number of connections it aborted. */
  removeWorker(
    outlet: RemoteOutlet,
    { worker, aborted }: { worker: WorkerHandle; aborted: number },
  ): void {
    if (outlet.removeWorker(worker, aborted)) this.#finish(outlet);
  }

  #finish(outlet: RemoteOutlet): void {
    if (!this.#draining.delete(outlet.id)) return;
    for (const event of outlet.takeHeldBack()) this.#publish(event);
    // An outlet that no worker has opened was never announced.
    if (outlet.isAnnounced) {
      this.#publish({ event: "stopped", ...outlet.about, aborted: outlet.aborted });
    }
  }
}
