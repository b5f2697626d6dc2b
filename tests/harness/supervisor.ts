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

/** The default number of workers. */
export const WORKERS = 3;

/** The module of workers that end if they are to send `die`. */
export const CRASHING_WORKER: URL = new URL("./crashing_worker.ts", import.meta.url);

/** A supervisor, and all its events. */
export class TestSupervisor implements AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly events: OutletEvent[];
  readonly #eventBus: EventBus;

  private constructor(supervisor: Supervisor, eventBus: EventBus, events: OutletEvent[]) {
    this.supervisor = supervisor;
    this.#eventBus = eventBus;
    this.events = events;
  }

  /** Opens `outlet server WORDS… --workers 3`. */
  static async open(
    args: readonly string[],
    { workers = WORKERS, eventBus = new EventBus(), ...options }: Partial<SupervisorOptions> = {},
  ): Promise<TestSupervisor> {
    const events: OutletEvent[] = [];
    eventBus.subscribe((event) => events.push(event));
    const config = configOf([...args, "--workers", String(workers)]);
    const supervisor = await Supervisor.open(config, { ...options, workers, eventBus });
    return new TestSupervisor(supervisor, eventBus, events);
  }

  /** The port of its first outlet, or of another one. */
  port(index = 0): number {
    const { address } = [...this.supervisor.outlets][index]!;
    if (isUnix(address)) throw new Error("no port");
    return address.port;
  }

  /** A TCP client of its first outlet, or of another one. */
  connect(index = 0): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port(index) });
  }

  /** Resolves once the condition holds, which is checked after each event. */
  async until(holds: (events: readonly OutletEvent[]) => boolean): Promise<void> {
    if (holds(this.events)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _ = this.#eventBus.subscribe(() => holds(this.events) && resolve());
    await promise;
  }

  /** The number of events with this name. */
  count(name: OutletEvent["event"]): number {
    return this.events.filter(({ event }) => event === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor[Symbol.asyncDispose]();
  }
}
