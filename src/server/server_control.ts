/**
 * Controls a server, with or without workers: it holds the desired state and the queue of
 * changes. A change is applied everywhere or not at all.
 *
 * @module
 */
import type { Rooms } from "../chat/rooms.ts";
import type { RoomsStatus } from "../chat/status.ts";
import { checkOverlaps, listeningAt } from "../config/addresses.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import type { EventBus } from "../events/event_bus.ts";
import { LoopDelay } from "../scheduling/loop_delay.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";
import { resolver, type ResolverCounts } from "../transport/resolver.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { ChangeQueue, type ServerState } from "./change_queue.ts";
import {
  bound,
  checkOnce,
  configured,
  type DesiredState,
  differences,
  nothingOpen,
  resolvedConfig,
  withOutlets,
  withoutOutlet,
} from "./desired_state.ts";
import { inspectHere } from "./inspect_here.ts";
import { busOf } from "./join_bus.ts";
import { isEqual } from "../config/equal.ts";
import type { Changes, LiveConnection, OpenOutlet, ServerHandle } from "./handle.ts";
import { ServerEnd } from "./server_end.ts";
import type { OutletManager } from "./outlet_manager.ts";

/** Options of {@linkcode ServerControl}. */
export interface ServerControlOptions {
  /** Where its events are published. */
  readonly eventBus: EventBus;
  /**
   * Checks a config before a change is prepared; rejects if it can't be applied. Default:
   * preflight on this machine.
   */
  readonly inspect?: ((asked: ServerConfig | OutletConfig) => Promise<void>) | undefined;
}

/** Turns of the event loop in which passes over connections end, and closed TLS streams release timers. */
const LAST_TURNS = 3;

const undoing = new TaskScope("undoing a change", { consequence: "the rest of it is undone" });

/** The control of a server. Disposing it stops the server at once. */
export abstract class ServerControl<
  C extends LiveConnection,
  O extends OpenOutlet & { readonly connections: Iterable<C> },
> implements ServerHandle {
  /** The chat rooms that its outlets share. */
  abstract readonly rooms: Rooms;
  /** The delay of its event loop. */
  readonly loopDelay: LoopDelay = new LoopDelay();
  /** The place of its outlets. */
  protected abstract readonly outletManager: OutletManager<O>;
  /** Where its events are published. */
  protected readonly eventBus: EventBus;
  /** Why it should be stopped. */
  protected readonly end: ServerEnd = new ServerEnd();

  readonly #queue = new ChangeQueue();
  #desired: DesiredState;
  readonly #inspect: NonNullable<ServerControlOptions["inspect"]>;
  #lastOutlet = 0;
  /** The shortest grace that a stop asked for, in milliseconds. */
  #grace = Infinity;

  /** A server that is not started. */
  protected constructor(
    config: ServerConfig,
    { eventBus, inspect = inspectHere }: ServerControlOptions,
  ) {
    this.#desired = nothingOpen(config);
    this.#inspect = inspect;
    this.eventBus = eventBus;
  }

  /** Its state. */
  get state(): ServerState {
    return this.#queue.state;
  }

  /** Aborted with the reason when the server cannot continue and should be stopped. */
  get failed(): AbortSignal {
    return this.end.failed;
  }

  /** Aborted with an `OnceEnd` when the client of an outlet with `once` has been served. */
  get done(): AbortSignal {
    return this.end.done;
  }

  /** The desired state. */
  get desired(): DesiredState {
    return this.#desired;
  }

  /** The open outlets. */
  get outlets(): Iterable<O> {
    return this.outletManager.outlets;
  }

  /** The draining outlets that still have connections. */
  get draining(): Iterable<O> {
    return this.outletManager.draining;
  }

  /** Every open connection, draining outlets included. */
  *connections(): Generator<{ outlet: O; connection: C }> {
    for (const outlet of [...this.outlets, ...this.draining]) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /** The status of chat rooms and buses. */
  roomsStatus(): RoomsStatus {
    return this.rooms.status();
  }

  /** The counters of name look-ups. */
  resolverCounts(): ResolverCounts {
    return resolver.counts;
  }

  /**
   * Opens outlets: all of them, or none.
   *
   * @throws {Error} which address cannot be listened on, and why
   */
  open(...configs: readonly OutletConfig[]): Promise<readonly O[]> {
    return this.#queue.run(async () => {
      for (const config of configs) await this.#inspect(config);
      const next = withOutlets(this.#desired, { configs, number: this.#number });
      checkOnce(this.#desired, next);
      await this.#become(next, { grace: 0 });
      return next.outlets.slice(-configs.length).map(({ id }) => this.outletManager.find(id)!);
    });
  }

  /**
   * Closes an outlet: it accepts no new connections, and open ones have `grace` milliseconds. A
   * second call can only shorten that.
   *
   * @returns the number of connections that were aborted
   */
  async close({ id }: Pick<O, "id">, { grace }: { grace: number }): Promise<number> {
    if (this.#desired.outlets.some((outlet) => outlet.id === id)) {
      await this.#queue.run(() => this.#become(withoutOutlet(this.#desired, id), { grace }));
    }
    return await this.outletManager.drain(id, { grace });
  }

  /**
   * Applies another config. Outlets that stay keep their socket and connections; changed settings
   * hold for new connections.
   *
   * @throws {Error} that says what can't be applied; nothing has changed then
   */
  change(config: ServerConfig): Promise<Changes> {
    return this.#queue.run(async () => {
      const before = this.#desired;
      this.check(config, before);
      await this.#inspect(config);
      const next = configured(config, { before, number: this.#number });
      checkOnce(before, next);
      const grace = config.options["drain-timeout"];
      await this.#become(next, { grace });
      return differences(before, next);
    });
  }

  /**
   * Replaces all workers.
   *
   * @throws {Error} if there are none, or a new one does not start
   */
  restart(_options?: { grace?: number }): Promise<number> {
    return Promise.reject(new Error("there are no workers: --workers starts some"));
  }

  /**
   * Stops the server: no new connections, and open ones have `grace` milliseconds. A second call
   * can only shorten that.
   *
   * @returns the number of connections that were aborted
   */
  async stop({ grace }: { grace: number }): Promise<number> {
    this.#grace = Math.min(this.#grace, grace);
    if (this.state === "draining") return await this.outletManager.stop({ grace });
    return await this.#queue.stop(async () => {
      const aborted = await this.outletManager.stop({ grace: this.#grace });
      await this.rooms[Symbol.asyncDispose]();
      for (let turn = 0; turn < LAST_TURNS; turn++) await nextTurn();
      return aborted;
    });
  }

  /** Stops at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** Opens all outlets of a config, or none. */
  protected start(config: ServerConfig): Promise<void> {
    return this.#queue.run(async () => {
      await this.#become(configured(config, { before: this.#desired, number: this.#number }), {
        grace: 0,
      });
    });
  }

  /** Runs something between two changes, with the desired state of that moment. */
  protected between<T>(work: (desired: DesiredState) => Promise<T>): Promise<T> {
    return this.#queue.between(() => work(this.#desired));
  }

  /**
   * Compares another config with the present state before a change is prepared.
   *
   * @throws {Error} that says what cannot be changed at run time
   */
  protected check(config: ServerConfig, before: DesiredState): void {
    if (isEqual(busOf(config.options), busOf(before.options))) return;
    throw new Error("the bus cannot change while the server runs: restart the server");
  }

  async #become(next: DesiredState, { grace }: { grace: number }): Promise<void> {
    checkOverlaps(listeningAt(resolvedConfig(next)));
    const prepared = await this.outletManager.prepare(next, { grace });
    try {
      await prepared.bind();
    } catch (error) {
      await prepared.undo().catch((fault) => undoing.fail(fault));
      throw error;
    }
    this.#desired = bound(next, prepared.addresses);
    await prepared.commit();
  }

  readonly #number = (): number => ++this.#lastOutlet;
}
