/**
 * Handles the requests of the supervisor in a worker.
 *
 * @module
 */
import { BroadcastBus } from "../chat/bus/broadcast_bus.ts";
import { Rooms } from "../chat/rooms.ts";
import type { LiveConnection } from "../server/handle.ts";
import { formatBus } from "../endpoint/nats_url.ts";
import { EventBus } from "../events/event_bus.ts";
import type { OutletEvent } from "../events/events.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { type BusConfig, busOf } from "../server/join_bus.ts";
import type { PreparedOutlets } from "../server/outlet_manager.ts";
import { OutletSet } from "../server/outlet_set.ts";
import { explain } from "../transport/errors.ts";
import { resolver } from "../transport/resolver.ts";
import type { listen } from "../transport/listen.ts";
import type {
  SharedResources,
  WorkerMessage,
  WorkerMethods,
  WorkerRequest,
  WorkerTask,
} from "./messages.ts";
import { Leadership } from "./leadership.ts";
import { RelayedBus } from "./relayed_bus.ts";
import { WorkerHealth } from "./worker_health.ts";
import { countersOf, type SharedLimits, type WorkerSlot } from "./shared_counters.ts";

/** How long events are collected into one message, in milliseconds. */
const EVENT_DELAY = 10;

const tasks = new TaskScope("sending events to the supervisor", {
  consequence: "later events are sent",
});

/** Options of {@linkcode WorkerThread}. */
export interface WorkerThreadOptions {
  /** Sends a message to the supervisor. */
  post(message: WorkerMessage, transfer?: Transferable[]): void;
  /** Replaces the system's `listen`. */
  readonly listen?: typeof listen | undefined;
  /** Called with the shared resources when the worker starts. */
  readonly onStart?: (shared: SharedResources) => void;
  /** Calls back after so many milliseconds; `setTimeout` by default. */
  readonly later?: (callback: () => void, milliseconds: number) => void;
}

/** A worker's outlets, driven by requests. */
export class WorkerThread {
  readonly #options: WorkerThreadOptions;
  readonly #rooms = new Rooms();
  /** The events of this worker, which are forwarded to the supervisor. */
  readonly eventBus: EventBus = new EventBus();
  readonly #taps = new Map<number, Disposable>();
  readonly #reported = new Map<number, number>();
  readonly #health = new WorkerHealth((report) => this.#options.post({ type: "health", report }));
  readonly #leadership = new Leadership();
  #bus: RelayedBus | undefined;
  #outlets: OutletSet | undefined;
  #limits: ReadonlyMap<number, SharedLimits> = new Map();
  #prepared: PreparedOutlets | undefined;
  #events: OutletEvent[] = [];

  /** A worker that is not started. */
  constructor(options: WorkerThreadOptions) {
    this.#options = options;
    this.eventBus.subscribe((event) => this.#queueEvent(event));
  }

  /** Handles a request and posts the response. */
  async handle({ number, name, task }: WorkerRequest): Promise<void> {
    try {
      const value = await (this.#methods[name] as (task: unknown) => Promise<unknown>)(task);
      // Events from before the response are sent first.
      this.#flushEvents();
      this.#options.post({ type: "done", number, value });
    } catch (error) {
      this.#flushEvents();
      this.#options.post({ type: "failed", number, reason: explain(error) });
    }
  }

  /** Reports the counts of connections, buses and the resolver; called every second. */
  reportCounts(): void {
    const counts: number[] = [];
    const before = new Map(this.#reported);
    this.#reported.clear();
    for (const { connection } of this.#outlets?.connections() ?? []) {
      const { id, bytesIn, bytesOut, halfClosed, datagramsIn = 0, datagramsOut = 0 } = connection;
      const figures = [bytesIn, bytesOut, Number(halfClosed), datagramsIn, datagramsOut];
      const sum = figures.reduce((sum, figure) => sum + figure);
      this.#reported.set(id, sum);
      if (sum > (before.get(id) ?? 0)) counts.push(id, ...figures);
    }
    if (counts.length > 0) {
      const message = Float64Array.from(counts);
      this.#options.post({ type: "counts", counts: message }, [message.buffer]);
    }
    this.#options.post({ type: "buses", buses: this.#rooms.status().buses });
    this.#options.post({ type: "names", counts: resolver.counts });
  }

  readonly #methods: WorkerMethods = {
    start: async ({ state, shared, slot }) => {
      this.#outlets = this.#outletSet(shared, slot);
      this.#options.onStart?.(shared);
      if (shared.channel) await this.#rooms.attachBus(new BroadcastBus(shared.channel));
      await this.#joinBus(busOf(state.options));
      this.#rooms.visitAll(({ name }) => {
        const room = { name, isPublic: this.#rooms.isPublic(name) };
        this.#options.post({ type: "room", room, isOpen: true });
        return {
          [Symbol.dispose]: () => this.#options.post({ type: "room", room, isOpen: false }),
        };
      });
    },
    prepare: (task) => this.#prepare(task),
    bind: async ({ addresses, alone }) => {
      await this.#prepared!.bind({ addresses, alone });
      return this.#prepared!.addresses;
    },
    commit: async () => {
      await this.#prepared!.commit();
      this.#prepared = undefined;
    },
    undo: async () => {
      await this.#prepared?.undo();
      this.#prepared = undefined;
    },
    join: async (task) => {
      await this.#prepare(task);
      try {
        await this.#prepared!.bind({ takesOver: task.takesOver });
      } catch (error) {
        await this.#prepared!.undo();
        throw error;
      }
      await this.#prepared!.commit();
    },
    drain: ({ outlet, grace }) => this.#outlets!.drain(outlet, { grace }),
    stopListening: () => this.#outlets!.stopListening(),
    stop: async ({ grace }) => {
      const aborted = await this.#outlets!.stop({ grace });
      await this.#rooms[Symbol.asyncDispose]();
      return aborted;
    },
    // deno-lint-ignore require-await
    health: async (known) => this.#health.adopt(known),
    // deno-lint-ignore require-await
    lead: async ({ leads }) => this.#leadership.set(leads),
    // deno-lint-ignore require-await
    bus: async (news) => this.#bus?.receive(news),
    write: async ({ connection, bytes }) => await this.#find(connection)?.write(bytes),
    closeWrite: async ({ connection }) => await this.#find(connection)?.closeWrite(),
    // deno-lint-ignore require-await
    closeConnection: async ({ connection, reason }) => this.#find(connection)?.close(reason),
    // deno-lint-ignore require-await
    tap: async ({ connection, on }) => this.#tap(connection, on),
  };

  /** Joins the rooms to other servers, over the supervisor's bus. */
  async #joinBus({ address }: BusConfig): Promise<void> {
    if (!address) return;
    this.#bus = new RelayedBus(
      formatBus(address),
      (call) => this.#options.post({ type: "bus", call }),
    );
    await this.#rooms.attachBus(this.#bus);
  }

  #outletSet(shared: SharedResources, slot: WorkerSlot): OutletSet {
    return new OutletSet({
      eventBus: this.eventBus,
      rooms: this.#rooms,
      descriptors: shared.descriptors,
      listen: this.#options.listen,
      threads: {
        healthOf: (outlet) => this.#health.of(outlet),
        oncePerServer: (signal, run) => this.#leadership.whileLeading(signal, run),
      },
      common: {
        countersOf: (outlet) =>
          countersOf(outlet === undefined ? shared.limits : this.#limits.get(outlet)!, slot),
        number: () => Number(Atomics.add(shared.numbers, 0, 1n)) + 1,
      },
    });
  }

  async #prepare({ state, limits, grace }: WorkerTask): Promise<void> {
    this.#limits = limits;
    this.#health.keep(new Set(state.outlets.map(({ id }) => id)));
    this.#prepared = await this.#outlets!.prepare(state, { grace });
  }

  #tap(id: number, on: boolean): void {
    this.#taps.get(id)?.[Symbol.dispose]();
    this.#taps.delete(id);
    const connection = on ? this.#find(id) : undefined;
    if (!connection) return;
    const post = (direction: "received" | "sent") => (bytes: Uint8Array) =>
      this.#options.post({ type: "bytes", connection: id, direction, bytes: bytes.slice() });
    this.#taps.set(id, connection.tap({ received: post("received"), sent: post("sent") }));
  }

  #queueEvent(event: OutletEvent): void {
    if (this.#events.push(event) > 1) return;
    const { later = setTimeout } = this.#options;
    later(tasks.guard(() => this.#flushEvents()), EVENT_DELAY);
  }

  #flushEvents(): void {
    if (this.#events.length > 0) this.#options.post({ type: "events", events: this.#events });
    this.#events = [];
  }

  #find(id: number): LiveConnection | undefined {
    for (const { connection } of this.#outlets?.connections() ?? []) {
      if (connection.id === id) return connection;
    }
  }
}
