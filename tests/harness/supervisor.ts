/**
 * A server with workers inside the test.
 *
 * @module
 */
import type { OutletEvent } from "../../src/events/events.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { isUnix } from "../../src/endpoint/address.ts";
import { Supervisor } from "../../src/workers/supervisor.ts";
import type { SupervisorOptions } from "../../src/workers/supervisor_options.ts";
import { configOf } from "./server.ts";

/** How many workers a supervisor has here. */
export const WORKERS = 3;

/** The module of workers that die when they are to send `die`. */
export const MORTAL: URL = new URL("./mortal_worker.ts", import.meta.url);

/** A supervisor, and what it has told. */
export class TestSupervisor implements AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly events: OutletEvent[];
  readonly #eventBus: EventBus;

  private constructor(supervisor: Supervisor, eventBus: EventBus, events: OutletEvent[]) {
    this.supervisor = supervisor;
    this.#eventBus = eventBus;
    this.events = events;
  }

  /** Opens what `outlet server WORDS… --workers 3` would. */
  static async open(
    words: readonly string[],
    { workers = WORKERS, eventBus = new EventBus(), ...options }: Partial<SupervisorOptions> = {},
  ): Promise<TestSupervisor> {
    const events: OutletEvent[] = [];
    eventBus.subscribe((event) => events.push(event));
    const config = configOf([...words, "--workers", String(workers)]);
    const supervisor = await Supervisor.open(config, { ...options, workers, eventBus });
    return new TestSupervisor(supervisor, eventBus, events);
  }

  /** The port of its first outlet, or of another one. */
  port(index = 0): number {
    const { address } = [...this.supervisor.outlets][index]!;
    if (isUnix(address)) throw new Error("no port");
    return address.port;
  }

  /** A plain client of its first outlet, or of another one. */
  connect(index = 0): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port(index) });
  }

  /** Resolves once what was told holds. */
  async told(holds: (events: readonly OutletEvent[]) => boolean): Promise<void> {
    if (holds(this.events)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _ = this.#eventBus.subscribe(() => holds(this.events) && resolve());
    await promise;
  }

  /** How often an event of this name was told. */
  count(name: OutletEvent["event"]): number {
    return this.events.filter(({ event }) => event === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor[Symbol.asyncDispose]();
  }
}
