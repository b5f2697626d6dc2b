/**
 * A server that a program has opened, and its outlets.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { OutletEvent } from "../events/events.ts";
import { type Address, formatAddress, isUnix } from "../endpoint/address.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";
import type { ServerHandle } from "../server/handle.ts";
import { type EventOf, EventStream } from "./event_stream.ts";
import type { OutletSpec } from "./open_options.ts";

/** An outlet that is open. */
export class RunningOutlet {
  /** What events call it. */
  readonly name: string;
  /** Where it listens: `127.0.0.1:40123` or `unix:/run/echo.sock`, which `connect` takes. */
  readonly address: string;
  readonly #address: Address;

  /** An outlet of this name that listens at this address. */
  constructor({ name, address }: { readonly name: string; readonly address: Address }) {
    this.name = name;
    this.address = formatAddress(address);
    this.#address = address;
  }

  /**
   * The port at which it listens.
   *
   * @throws {TypeError} where it listens at a Unix socket
   */
  get port(): number {
    if (isUnix(this.#address)) throw new TypeError(`${this.name}: ${this.address} has no port`);
    return this.#address.port;
  }

  /**
   * The IP address at which it listens; IPv6 stands without brackets.
   *
   * @throws {TypeError} where it listens at a Unix socket
   */
  get hostname(): string {
    if (isUnix(this.#address)) throw new TypeError(`${this.name}: ${this.address} has no hostname`);
    return this.#address.hostname;
  }

  /**
   * The path of the Unix socket at which it listens.
   *
   * @throws {TypeError} where it listens at a port
   */
  get path(): string {
    if (isUnix(this.#address)) return this.#address.path;
    throw new TypeError(`${this.name}: ${this.address} has no path`);
  }
}

/**
 * A TLS stream whose peer has ended TCP needs two turns of the event loop to tell how, also once it is closed: their
 * timers would be the leak of a test that ends before them.
 */
const TURNS_TO_END = 3;

/** What a running server is made of. */
export interface RunningServerParts {
  /** The server itself. */
  readonly server: ServerHandle;
  /** Where its events are published. */
  readonly eventBus: EventBus;
  /** How long `stop` lets connections go on, in milliseconds. */
  readonly drainTimeout: number;
}

/** A server that is open. Disposing it closes its outlets and cuts their connections. */
export class RunningServer<Specs extends readonly OutletSpec[] = readonly OutletSpec[]>
  implements AsyncDisposable {
  /** Its outlets, in the order in which they were asked for. */
  readonly outlets: { readonly [Index in keyof Specs]: RunningOutlet };
  readonly #parts: RunningServerParts;
  readonly #streams = new Set<{ end(): void }>();
  #hasStopped = false;

  /** A server that is open already. */
  constructor(parts: RunningServerParts) {
    this.#parts = parts;
    const outlets = [...parts.server.outlets].map((outlet) => new RunningOutlet(outlet));
    this.outlets = outlets as unknown as typeof this.outlets;
  }

  /**
   * The events from now on: all of them, or those of the given names. The iterable ends with the server; at most
   * 10,000 events wait to be read.
   */
  events<Name extends OutletEvent["event"] = OutletEvent["event"]>(
    ...names: readonly Name[]
  ): AsyncIterableIterator<EventOf<Name>> & AsyncDisposable {
    const accepts = (event: OutletEvent): event is EventOf<Name> =>
      names.length === 0 || (names as readonly string[]).includes(event.event);
    const stream: EventStream<EventOf<Name>> = new EventStream({
      eventBus: this.#parts.eventBus,
      accepts,
      ended: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    if (this.#hasStopped) stream.end();
    return stream;
  }

  /**
   * Stops: no new clients, and `drain-timeout` for those who are there.
   *
   * @returns how many connections had to be cut
   */
  stop(): Promise<number> {
    return this.#stop(this.#parts.drainTimeout);
  }

  /** Stops at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop(0);
  }

  async #stop(grace: number): Promise<number> {
    try {
      return await this.#parts.server.stop({ grace });
    } finally {
      for (let turn = 0; turn < TURNS_TO_END; turn++) await nextTurn();
      this.#hasStopped = true;
      for (const stream of this.#streams) stream.end();
    }
  }
}
