/**
 * A server with workers inside the test.
 *
 * @module
 */
import type { OutletEvent } from "../../src/observe/events.ts";
import { Journal } from "../../src/observe/journal.ts";
import { isUnix } from "../../src/socket/address.ts";
import { Crew } from "../../src/workers/crew.ts";
import { configOf } from "./server.ts";

/** How many workers a crew has here. */
export const WORKERS = 3;

/** The module of workers that die when they are to send `die`. */
export const MORTAL: URL = new URL("./mortal_worker.ts", import.meta.url);

/** A crew, and what it has told. */
export class TestCrew implements AsyncDisposable {
  readonly crew: Crew;
  readonly events: OutletEvent[];
  readonly #journal: Journal;

  private constructor(crew: Crew, journal: Journal, events: OutletEvent[]) {
    this.crew = crew;
    this.#journal = journal;
    this.events = events;
  }

  /** Opens what `outlet server WORDS… --workers 3` would. */
  static async open(words: readonly string[], module?: URL): Promise<TestCrew> {
    const journal = new Journal();
    const events: OutletEvent[] = [];
    journal.subscribe((event) => events.push(event));
    const config = configOf([...words, "--workers", String(WORKERS)]);
    const crew = await Crew.open(config, { workers: WORKERS, journal, ...module && { module } });
    return new TestCrew(crew, journal, events);
  }

  /** The port of its first outlet, or of another one. */
  port(index = 0): number {
    const { address } = [...this.crew.outlets][index]!;
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
    using _ = this.#journal.subscribe(() => holds(this.events) && resolve());
    await promise;
  }

  /** How often an event of this name was told. */
  count(name: OutletEvent["event"]): number {
    return this.events.filter(({ event }) => event === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crew[Symbol.asyncDispose]();
  }
}
