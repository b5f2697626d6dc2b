/**
 * The running server of the library, and its outlets.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { OutletEvent } from "../events/events.ts";
import { type Address, formatAddress, isUnix } from "../endpoint/address.ts";
import type { ServerHandle } from "../server/handle.ts";
import { type EventOf, EventStream } from "./event_stream.ts";
import type { OutletSpec } from "./open_options.ts";

/** An open outlet. */
export class RunningOutlet {
  /** Its name in events. */
  readonly name: string;
  /**
   * Its address, as `connect` takes it: `127.0.0.1:40123` or `unix:/run/echo.sock`. That of UDP,
   * `udp://127.0.0.1:40123`, is for `outlet client`.
   */
  readonly address: string;
  readonly #address: Address;

  /** Describes an open outlet. */
  constructor({ name, address }: { readonly name: string; readonly address: Address }) {
    this.name = name;
    this.address = formatAddress(address);
    this.#address = address;
  }

  /**
   * The port that it listens on.
   *
   * @throws {TypeError} for a Unix socket
   */
  get port(): number {
    if (isUnix(this.#address)) throw new TypeError(`${this.name}: ${this.address} has no port`);
    return this.#address.port;
  }

  /**
   * The IP address that it listens on; IPv6 without brackets.
   *
   * @throws {TypeError} for a Unix socket
   */
  get hostname(): string {
    if (isUnix(this.#address)) throw new TypeError(`${this.name}: ${this.address} has no hostname`);
    return this.#address.hostname;
  }

  /**
   * The path of its Unix socket.
   *
   * @throws {TypeError} for a TCP socket
   */
  get path(): string {
    if (isUnix(this.#address)) return this.#address.path;
    throw new TypeError(`${this.name}: ${this.address} has no path`);
  }
}

/** The parts of a running server. */
export interface RunningServerParts {
  /** The server. */
  readonly server: ServerHandle;
  /** Where its events are published. */
  readonly eventBus: EventBus;
  /** How long connections may continue after `stop`, in milliseconds. */
  readonly drainTimeout: number;
  /** How many of its outlets each of the given ones stands for. */
  readonly counts: readonly number[];
}

/** A running server. Disposing it closes its outlets and their connections. */
export class RunningServer<Specs extends readonly OutletSpec[] = readonly OutletSpec[]>
  implements AsyncDisposable {
  /** Its outlets, in the given order; of a list of ports, the outlet of the first. */
  readonly outlets: { readonly [Index in keyof Specs]: RunningOutlet };
  /** All its outlets, those of lists of ports included. */
  readonly allOutlets: readonly RunningOutlet[];
  readonly #parts: RunningServerParts;
  readonly #streams = new Set<{ end(): void }>();
  #hasStopped = false;

  /** Wraps a server that is open. */
  constructor(parts: RunningServerParts) {
    this.#parts = parts;
    this.allOutlets = [...parts.server.outlets].map((outlet) => new RunningOutlet(outlet));
    let next = 0;
    const firsts = parts.counts.map((count) => this.allOutlets[(next += count) - count]);
    this.outlets = firsts as unknown as typeof this.outlets;
  }

  /**
   * Subscribes to all events, or to those with the given names. The iterable ends when the server has stopped; it buffers
   * at most 10,000 events.
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
   * Stops accepting, and waits up to `drain-timeout` for open connections to end.
   *
   * @returns how many connections were aborted
   */
  stop(): Promise<number> {
    return this.#stop(this.#parts.drainTimeout);
  }

  /** Stops and aborts all connections at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop(0);
  }

  async #stop(grace: number): Promise<number> {
    try {
      return await this.#parts.server.stop({ grace });
    } finally {
      this.#hasStopped = true;
      for (const stream of this.#streams) stream.end();
    }
  }
}
