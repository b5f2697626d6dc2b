/**
 * The interface between the control of a server and the place of its outlets: a change is prepared, bound, and then
 * committed or undone.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import type { DesiredState } from "./desired_state.ts";
import type { OpenOutlet } from "./handle.ts";

/** The place of a server's outlets: this thread (`OutletSet`), or workers (`WorkerOutlets`). */
export interface OutletManager<O extends OpenOutlet> {
  /** The open outlets, in the order of the config. */
  readonly outlets: Iterable<O>;
  /** The draining outlets. */
  readonly draining: Iterable<O>;
  /** The limit of connections over all outlets. */
  readonly maxConnections: number;
  /** The outlet with this id, open or draining. */
  find(id: number): O | undefined;
  /** Prepares a change to another state. Nothing is bound, no event is published. */
  prepare(next: DesiredState, options: OutletChangeOptions): Promise<PreparedOutlets>;
  /**
   * Drains a removed outlet for `grace` milliseconds. Resolves to the number of connections that
   * were aborted.
   */
  drain(id: number, options: { grace: number }): Promise<number>;
  /**
   * Drains every outlet for `grace` milliseconds. Resolves to the number of connections that were
   * aborted.
   */
  stop(options: { grace: number }): Promise<number>;
}

/** How a change treats removed outlets. */
export interface OutletChangeOptions {
  /** Milliseconds that connections of removed outlets may go on. */
  readonly grace: number;
}

/** Where to bind new outlets. */
export interface OutletBindOptions {
  /**
   * The addresses at which another thread has bound them, by id. Others are bound as configured.
   */
  readonly addresses?: ReadonlyMap<number, Address>;
  /** Whether to check that no other program listens at a new address. Default: false. */
  readonly alone?: boolean;
  /** Whether to take the paths of Unix sockets from another thread. Default: false. */
  readonly takesOver?: boolean;
}

/** A prepared change. */
export interface PreparedOutlets {
  /** Binds the new outlets. It may fail; no event is published. */
  bind(options?: OutletBindOptions): Promise<void>;
  /** Applies the change and publishes the events. It cannot fail. */
  commit(): Promise<void>;
  /** Undoes the bind. */
  undo(): Promise<void>;
  /** The addresses of new outlets, after the bind. */
  readonly addresses: ReadonlyMap<number, Address>;
}
