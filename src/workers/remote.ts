/**
 * The supervisor's view of outlets and connections that workers serve.
 *
 * @module
 */
import type { EndReason } from "../connection/end_reason.ts";
import type { LiveConnection, OpenOutlet } from "../server/handle.ts";
import type { AboutOutlet, Closed, Listening, Opened, OutletEvent } from "../events/events.ts";
import { type Address, isUdp } from "../endpoint/address.ts";
import type { Tap } from "../connection/observers.ts";
import type { SharedLimits } from "./shared_counters.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";

/** An outlet that is served by several workers. */
export class RemoteOutlet implements OpenOutlet {
  /** Its id, which is never reused. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** The listening address. */
  readonly address: Address;
  /** The counters that its workers share. */
  readonly limits: SharedLimits;
  readonly #connections = new Map<number, RemoteConnection>();
  readonly #workers = new Set<WorkerHandle>();
  readonly #stopping = new AbortController();
  readonly #stopped = Promise.withResolvers<number>();
  /** Events from before `listening` was published; `undefined` after that. */
  #heldBack: OutletEvent[] | undefined = [];
  #listening: Listening | undefined;
  #aborted = 0;

  /** An outlet that is not open yet. */
  constructor(
    { id, name, address, limits }: Pick<RemoteOutlet, "id" | "name" | "address" | "limits">,
  ) {
    this.id = id;
    this.name = name;
    this.address = address;
    this.limits = limits;
  }

  /** The open connections. */
  get connections(): Iterable<RemoteConnection> {
    return this.#connections.values();
  }

  /** Aborted when the outlet starts to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when the outlet is closed in every worker, to the number of aborted connections. */
  get stopped(): Promise<number> {
    return this.#stopped.promise;
  }

  /** How many connections its workers have aborted so far. */
  get aborted(): number {
    return this.#aborted;
  }

  /** The fields of an event that name the outlet. */
  get about(): AboutOutlet {
    return { id: this.id, outlet: this.name, address: this.address };
  }

  /** The connection with this id. */
  find(id: number): RemoteConnection | undefined {
    return this.#connections.get(id);
  }

  /** Adds a connection. */
  add(connection: RemoteConnection): void {
    this.#connections.set(connection.id, connection);
  }

  /** Removes a connection that has ended. */
  remove(id: number): void {
    this.#connections.delete(id);
  }

  /** Holds an event back if `listening` was not published yet; whether it did. */
  holdBack(event: OutletEvent): boolean {
    this.#heldBack?.push(event);
    return this.#heldBack !== undefined;
  }

  /** Holds back the `listening` event of the first worker until all of them listen. */
  listens(event: Listening): void {
    this.#listening ??= event;
  }

  /** Whether `listening` was published. */
  get isAnnounced(): boolean {
    return this.#heldBack === undefined;
  }

  /** Ends the holding back, and returns the events to publish now. */
  takeHeldBack(): OutletEvent[] {
    if (!this.#heldBack || !this.#listening) return [];
    const events = [this.#listening, ...this.#heldBack];
    this.#heldBack = undefined;
    return events;
  }

  /** Adds a worker that serves it. */
  addWorker(worker: WorkerHandle): void {
    this.#workers.add(worker);
  }

  /** Removes a worker; whether it was the last one of a stopping outlet. */
  removeWorker(worker: WorkerHandle, aborted: number): boolean {
    if (this.#workers.delete(worker)) this.#aborted += aborted;
    return this.#finish();
  }

  /** Starts to stop; whether no worker serves it any more. */
  stop(): boolean {
    this.#stopping.abort();
    return this.#finish();
  }

  #finish(): boolean {
    if (!this.#stopping.signal.aborted || this.#workers.size > 0) return false;
    this.#stopped.resolve(this.#aborted);
    return true;
  }
}

/** A connection that a worker serves. Its counters are up to a second old. */
export class RemoteConnection implements LiveConnection {
  /** Its id. */
  readonly id: number;
  /** The client's address. */
  readonly peer: Address;
  /** The local address. */
  readonly local: Address;
  /** When it was opened, as a `performance.now()` timestamp. */
  readonly openedAt: number = performance.now();
  /** Bytes received from the client. */
  bytesIn = 0;
  /** Bytes sent to the client. */
  bytesOut = 0;
  /** Over UDP, the number of datagrams received from the client. */
  datagramsIn: number | undefined;
  /** Over UDP, the number of datagrams sent to the client. */
  datagramsOut: number | undefined;
  /** Whether one direction is closed. */
  halfClosed = false;
  /** Why it ended. */
  reason: EndReason | undefined;
  /** Notes of the service from when it was opened. */
  readonly notes: Readonly<Record<string, string | number>> | undefined;
  /** The worker that serves it. */
  readonly worker: WorkerHandle;
  readonly #taps = new Set<Tap>();

  /** The connection of an `opened` event. */
  constructor({ connection, peer, local, notes, address }: Opened, worker: WorkerHandle) {
    if (isUdp(address)) this.datagramsIn = this.datagramsOut = 0;
    this.id = connection;
    this.peer = peer;
    this.local = local;
    this.notes = notes;
    this.worker = worker;
  }

  /** Copies all bytes to a tap. The worker sends them only while there is one. */
  tap(tap: Tap): Disposable {
    this.#taps.add(tap);
    if (this.#taps.size === 1) this.#setTap(true);
    return {
      [Symbol.dispose]: () => {
        if (this.#taps.delete(tap) && this.#taps.size === 0) this.#setTap(false);
      },
    };
  }

  /** Passes bytes from the worker to the taps. */
  deliver(direction: keyof Tap, bytes: Uint8Array): void {
    for (const tap of this.#taps) tap[direction](bytes);
  }

  /** Writes bytes to the client from outside the handler. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.worker.request("write", { connection: this.id, bytes });
  }

  /** Ends the sending direction. */
  async closeWrite(): Promise<void> {
    await this.worker.request("closeWrite", { connection: this.id });
  }

  /** Closes it. */
  close(reason: EndReason): void {
    this.reason ??= reason;
    handledElsewhere(this.worker.request("closeConnection", { connection: this.id, reason }));
  }

  /** The `closed` event of a connection whose worker ended without publishing one. */
  closedEvent(outlet: RemoteOutlet, reason: string): Closed {
    return {
      event: "closed",
      ...outlet.about,
      connection: this.id,
      peer: this.peer,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      ...this.datagramsIn === undefined
        ? {}
        : { datagramsIn: this.datagramsIn, datagramsOut: this.datagramsOut },
      duration: performance.now() - this.openedAt,
      reason,
    };
  }

  #setTap(on: boolean): void {
    handledElsewhere(this.worker.request("tap", { connection: this.id, on }));
  }
}
