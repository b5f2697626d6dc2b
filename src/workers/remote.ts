/**
 * What a worker serves, as the rest of the process sees it.
 *
 * @module
 */
import type { EndReason } from "../connection/end_reason.ts";
import type { LiveConnection, OpenOutlet } from "../server/handle.ts";
import type { Closed, Opened } from "../events/events.ts";
import type { Address } from "../endpoint/address.ts";
import type { Tap } from "../connection/connection.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** An outlet whose clients are spread over workers. */
export class RemoteOutlet implements OpenOutlet {
  /** Its name in events. */
  readonly name: string;
  /** Where it listens. */
  readonly address: Address;
  readonly #connections = new Map<number, RemoteConnection>();
  readonly #workers = new Set<number>();
  #cut = 0;
  readonly #stopping = new AbortController();

  /** An outlet that workers have opened, or will. */
  constructor(name: string, address: Address) {
    this.name = name;
    this.address = address;
  }

  /** The connections that are open now. */
  get connections(): Iterable<RemoteConnection> {
    return this.#connections.values();
  }

  /** Aborted when it begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** A connection of this number. */
  find(id: number): RemoteConnection | undefined {
    return this.#connections.get(id);
  }

  /** Takes note of a connection. */
  add(connection: RemoteConnection): void {
    this.#connections.set(connection.id, connection);
  }

  /** Forgets one that has ended. */
  remove(id: number): void {
    this.#connections.delete(id);
  }

  /** Takes note that a worker listens here; whether it is the first. */
  opened(worker: number): boolean {
    return this.#workers.add(worker).size === 1;
  }

  /** Whether any worker listens here, or has connections from here. */
  get isServed(): boolean {
    return this.#workers.size > 0;
  }

  /** Takes note that a worker is done here, or dead; once it was the last, how many connections all have cut. */
  left(worker: number, cut: number): number | undefined {
    this.#cut += cut;
    return this.#workers.delete(worker) && !this.isServed ? this.#cut : undefined;
  }

  /** Says that it begins to stop. */
  stop(): void {
    this.#stopping.abort();
  }
}

/** A connection that a worker serves. Its counters are what the worker told last, a second ago at most. */
export class RemoteConnection implements LiveConnection {
  /** Its number. */
  readonly id: number;
  /** The client's end. */
  readonly peer: Address;
  /** Our end. */
  readonly local: Address;
  /** When it was opened, on the clock of `performance.now()`. */
  readonly openedAt: number = performance.now();
  /** Bytes that came from the client. */
  bytesIn = 0;
  /** Bytes that went to it. */
  bytesOut = 0;
  /** Whether one side has ended its half. */
  halfClosed = false;
  /** Who or what ended it. */
  reason: EndReason | undefined;
  /** What its service noted of it when it was opened. */
  readonly notes: Readonly<Record<string, string | number>> | undefined;
  /** Who serves it. */
  readonly worker: WorkerHandle;
  readonly #taps = new Set<Tap>();

  /** A connection that a worker has told of. */
  constructor({ connection, peer, local, notes }: Opened, worker: WorkerHandle) {
    this.id = connection;
    this.peer = peer;
    this.local = local;
    this.notes = notes;
    this.worker = worker;
  }

  /** Lets somebody see what comes and goes; the worker tells it only while somebody looks. */
  tap(tap: Tap): Disposable {
    this.#taps.add(tap);
    if (this.#taps.size === 1) this.#tell(true);
    return {
      [Symbol.dispose]: () => {
        if (this.#taps.delete(tap) && this.#taps.size === 0) this.#tell(false);
      },
    };
  }

  /** Takes bytes that the worker has told of. */
  show(way: keyof Tap, bytes: Uint8Array): void {
    for (const tap of this.#taps) tap[way](bytes);
  }

  /** Sends bytes for somebody other than its handler. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.worker.request("write", { connection: this.id, bytes });
  }

  /** Ends our half. */
  async closeWrite(): Promise<void> {
    await this.worker.request("closeWrite", { connection: this.id });
  }

  /** Closes it. */
  close(reason: EndReason): void {
    this.reason ??= reason;
    this.worker.request("closeConnection", { connection: this.id, reason }).catch(() => {});
  }

  /** How it ended, when its worker did not live to tell. */
  lost(outlet: RemoteOutlet): Closed {
    return {
      event: "closed",
      outlet: outlet.name,
      address: outlet.address,
      connection: this.id,
      peer: this.peer,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      duration: performance.now() - this.openedAt,
      reason: "error: its worker died",
    };
  }

  #tell(on: boolean): void {
    this.worker.request("tap", { connection: this.id, on }).catch(() => {});
  }
}
