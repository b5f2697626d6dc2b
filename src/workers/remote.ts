/**
 * What a worker serves, as the rest of the process sees it.
 *
 * @module
 */
import type { EndReason } from "../connection/end_reason.ts";
import type { LiveConnection, OpenOutlet } from "../server/handle.ts";
import type { AboutOutlet, Closed, Listening, Opened, OutletEvent } from "../events/events.ts";
import type { Address } from "../endpoint/address.ts";
import type { Tap } from "../connection/observers.ts";
import type { SharedLimits } from "./shared_counters.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";

/** An outlet whose clients are spread over workers. */
export class RemoteOutlet implements OpenOutlet {
  /** Its number, which no other outlet of the server ever has. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** Where it listens. */
  readonly address: Address;
  /** What its workers count together. */
  readonly limits: SharedLimits;
  readonly #connections = new Map<number, RemoteConnection>();
  readonly #workers = new Set<WorkerHandle>();
  readonly #stopping = new AbortController();
  readonly #stopped = Promise.withResolvers<number>();
  /** What has happened there before it was told that it listens; `undefined` from then on. */
  #untold: OutletEvent[] | undefined = [];
  #listening: Listening | undefined;
  #cut = 0;

  /** An outlet that workers are about to open. */
  constructor(
    { id, name, address, limits }: Pick<RemoteOutlet, "id" | "name" | "address" | "limits">,
  ) {
    this.id = id;
    this.name = name;
    this.address = address;
    this.limits = limits;
  }

  /** The connections that are open now. */
  get connections(): Iterable<RemoteConnection> {
    return this.#connections.values();
  }

  /** Aborted when it begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when it is gone in every worker, to how many connections all have cut. */
  get stopped(): Promise<number> {
    return this.#stopped.promise;
  }

  /** How many connections its workers have cut so far. */
  get cut(): number {
    return this.#cut;
  }

  /** Which outlet an event is about. */
  get about(): AboutOutlet {
    return { id: this.id, outlet: this.name, address: this.address };
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

  /** Keeps an event while it is not told yet that the outlet listens; whether it did. */
  keep(event: OutletEvent): boolean {
    this.#untold?.push(event);
    return this.#untold !== undefined;
  }

  /** Keeps the first word of a worker that it listens: it is told once all of them do. */
  listens(event: Listening): void {
    this.#listening ??= event;
  }

  /** Whether it was told that it listens. */
  get isAnnounced(): boolean {
    return this.#untold === undefined;
  }

  /** Says that it is told now that the outlet listens; what was kept until then. */
  announced(): OutletEvent[] {
    if (!this.#untold || !this.#listening) return [];
    const untold = [this.#listening, ...this.#untold];
    this.#untold = undefined;
    return untold;
  }

  /** Takes note that a worker serves it. */
  servedBy(worker: WorkerHandle): void {
    this.#workers.add(worker);
  }

  /** Takes note that a worker is done here, or gone; whether it was the last one of an outlet that stops. */
  left(worker: WorkerHandle, cut: number): boolean {
    if (this.#workers.delete(worker)) this.#cut += cut;
    return this.#finish();
  }

  /** Says that it begins to stop; whether nobody serves it any more. */
  stop(): boolean {
    this.#stopping.abort();
    return this.#finish();
  }

  #finish(): boolean {
    if (!this.#stopping.signal.aborted || this.#workers.size > 0) return false;
    this.#stopped.resolve(this.#cut);
    return true;
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
    handledElsewhere(this.worker.request("closeConnection", { connection: this.id, reason }));
  }

  /** How it ended, when its worker did not live to tell. */
  lost(outlet: RemoteOutlet, reason: string): Closed {
    return {
      event: "closed",
      ...outlet.about,
      connection: this.id,
      peer: this.peer,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      duration: performance.now() - this.openedAt,
      reason,
    };
  }

  #tell(on: boolean): void {
    handledElsewhere(this.worker.request("tap", { connection: this.id, on }));
  }
}
