/**
 * What steers a server, whether its outlets are in this thread or in several: one desired state, and one queue of
 * changes, each of which holds everywhere or does not happen.
 *
 * @module
 */
import type { Rooms } from "../chat/rooms.ts";
import type { RoomsStatus } from "../chat/status.ts";
import { checkOverlaps, listeningAt } from "../config/addresses.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import type { EventBus } from "../events/event_bus.ts";
import { LoopDelay } from "../scheduling/loop_delay.ts";
import { resolver, type ResolverCounts } from "../transport/resolver.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { ChangeQueue, type ServerState } from "./change_queue.ts";
import {
  bound,
  configured,
  type DesiredState,
  differences,
  nothingOpen,
  resolvedConfig,
  withOutlet,
  withoutOutlet,
} from "./desired_state.ts";
import { busOf } from "./join_bus.ts";
import { isEqual } from "../config/equal.ts";
import type { Changes, LiveConnection, OpenOutlet, ServerHandle } from "./handle.ts";
import type { PreparedOutlets } from "./outlet_set.ts";

/** Where outlets are: in this thread, or in workers. */
export interface OutletHost<O extends OpenOutlet> {
  /** The open outlets, in the order in which they were asked for. */
  readonly outlets: Iterable<O>;
  /** Those that drain. */
  readonly draining: Iterable<O>;
  /** How many connections all of them take at the same time. */
  readonly maxConnections: number;
  /** The outlet of this number, open or draining. */
  find(id: number): O | undefined;
  /** Makes ready to become what is desired; connections of outlets that go then may go on for `grace` milliseconds. */
  prepare(next: DesiredState, options: { grace: number }): Promise<PreparedOutlets>;
  /** Gives an outlet that drains this long to end; resolves to how many of its connections had to be cut. */
  drain(id: number, options: { grace: number }): Promise<number>;
  /** Gives every outlet this long to end; resolves to how many connections had to be cut. */
  stop(options: { grace: number }): Promise<number>;
}

/** What a server is steered with. */
export interface ServerControlOptions {
  /** Told of everything that happens. */
  readonly eventBus: EventBus;
  /**
   * Looks whether what is asked for can be had, before anything is made ready; at this machine, unless it is said.
   * Rejects where it can't.
   */
  readonly inspect?: ((asked: ServerConfig | OutletConfig) => Promise<void>) | undefined;
}

const undoing = new TaskScope("undoing a change", { without: "the rest of it is undone" });

/** A server's controls. Disposing it stops it without grace. */
export abstract class ServerControl<
  C extends LiveConnection,
  O extends OpenOutlet & { readonly connections: Iterable<C> },
> implements ServerHandle {
  /** The chat rooms that its outlets share. */
  abstract readonly rooms: Rooms;
  /** How late its event loops are, where somebody asks. */
  readonly loopDelay: LoopDelay = new LoopDelay();
  /** Where its outlets are. */
  protected abstract readonly host: OutletHost<O>;
  /** Told of everything that happens. */
  protected readonly eventBus: EventBus;

  readonly #queue = new ChangeQueue();
  #desired: DesiredState;
  readonly #inspect: NonNullable<ServerControlOptions["inspect"]>;
  readonly #failed = new AbortController();
  #lastOutlet = 0;
  /** The shortest time that a stop was asked to take. */
  #grace = Infinity;

  /** A server that has not started. */
  protected constructor(
    config: ServerConfig,
    { eventBus, inspect = inspectHere }: ServerControlOptions,
  ) {
    this.#desired = nothingOpen(config);
    this.#inspect = inspect;
    this.eventBus = eventBus;
  }

  /** What it is doing. */
  get state(): ServerState {
    return this.#queue.state;
  }

  /** Aborted when it cannot go on, with the reason: it should be stopped then. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** What it is to be. */
  get desired(): DesiredState {
    return this.#desired;
  }

  /** The open outlets. */
  get outlets(): Iterable<O> {
    return this.host.outlets;
  }

  /** The outlets that have begun to close, and still have connections. */
  get draining(): Iterable<O> {
    return this.host.draining;
  }

  /** Every connection that is open now, also those of outlets that drain. */
  *connections(): Generator<{ outlet: O; connection: C }> {
    for (const outlet of [...this.outlets, ...this.draining]) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /** What the chat rooms and the buses are like right now. */
  roomsStatus(): RoomsStatus {
    return this.rooms.status();
  }

  /** How names are looked up. */
  resolverCounts(): ResolverCounts {
    return resolver.counts;
  }

  /**
   * Opens one more outlet.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  open(config: OutletConfig): Promise<O> {
    return this.#queue.run(async () => {
      await this.#inspect(config);
      const next = withOutlet(this.#desired, { config, number: this.#number });
      await this.#become(next, { grace: 0 });
      return this.host.find(next.outlets.at(-1)!.id)!;
    });
  }

  /**
   * Closes one outlet: no new clients, and `grace` milliseconds for those who are there. Asked again, it can only
   * shorten that.
   *
   * @returns how many connections had to be cut
   */
  async close({ id }: Pick<O, "id">, { grace }: { grace: number }): Promise<number> {
    if (this.#desired.outlets.some((outlet) => outlet.id === id)) {
      await this.#queue.run(() => this.#become(withoutOutlet(this.#desired, id), { grace }));
    }
    return await this.host.drain(id, { grace });
  }

  /**
   * Becomes what another config asks for. Outlets that are still wanted keep their sockets and connections; what has
   * changed about them holds for their next clients.
   *
   * @throws {Error} which says what can't be had: nothing has changed then
   */
  change(config: ServerConfig): Promise<Changes> {
    return this.#queue.run(async () => {
      const before = this.#desired;
      this.check(config, before);
      await this.#inspect(config);
      const next = configured(config, { before, number: this.#number });
      const grace = config.options["drain-timeout"];
      await this.#become(next, { grace });
      return differences(before, next);
    });
  }

  /**
   * Stops: no new clients, and `grace` milliseconds for those who are there. Asked again, it can only shorten that.
   *
   * @returns how many connections had to be cut
   */
  async stop({ grace }: { grace: number }): Promise<number> {
    this.#grace = Math.min(this.#grace, grace);
    if (this.state === "draining") return await this.host.stop({ grace });
    return await this.#queue.stop(async () => {
      const cut = await this.host.stop({ grace: this.#grace });
      await this.rooms[Symbol.asyncDispose]();
      return cut;
    });
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** Opens what a config asks for, all of it or nothing, and tells that it is open. */
  protected start(config: ServerConfig): Promise<void> {
    return this.#queue.run(async () => {
      await this.#become(configured(config, { before: this.#desired, number: this.#number }), {
        grace: 0,
      });
    });
  }

  /** Says that it cannot go on. */
  protected fail(error: Error): void {
    this.#failed.abort(error);
  }

  /** Does something between two changes, with what is desired then. */
  protected between<T>(work: (desired: DesiredState) => Promise<T>): Promise<T> {
    return this.#queue.between(() => work(this.#desired));
  }

  /**
   * Looks at what another config asks for, beside what is there, before anything is made ready.
   *
   * @throws {Error} which says what cannot be changed
   */
  protected check(config: ServerConfig, before: DesiredState): void {
    if (isEqual(busOf(config.options), busOf(before.options))) return;
    throw new Error("the bus cannot change while the server runs: start it anew");
  }

  async #become(next: DesiredState, { grace }: { grace: number }): Promise<void> {
    checkOverlaps(listeningAt(resolvedConfig(next)));
    const prepared = await this.host.prepare(next, { grace });
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

/** Looks at this machine. A start brings none of it along: who starts a server has looked before. */
async function inspectHere(asked: ServerConfig | OutletConfig): Promise<void> {
  const { preflight, preflightOutlet } = await import("./preflight.ts");
  if ("outlets" in asked) await preflight(asked);
  else await preflightOutlet(asked);
}
