/**
 * The messages between a supervisor and its workers. All of them are structured-cloneable.
 *
 * @module
 */
import type { DescriptorBudget } from "../admission/descriptors.ts";
import type { ResolverCounts } from "../transport/resolver.ts";
import type { BusCall, BusNews } from "./relayed_bus.ts";
import type { BusStatus } from "../chat/status.ts";
import type { EndReason } from "../connection/end_reason.ts";
import type { Address } from "../endpoint/address.ts";
import type { OutletEvent } from "../events/events.ts";
import type { HealthFinding } from "../services/shared_health.ts";
import type { DesiredState } from "../server/desired_state.ts";
import type { LoopDelayMemory } from "../scheduling/loop_delay.ts";
import type { SharedLimits, WorkerSlot } from "./shared_counters.ts";

/** Resources that all workers share. */
export interface SharedResources {
  /** The id of the latest connection. */
  readonly numbers: BigInt64Array<SharedArrayBuffer>;
  /** The counters of the server-wide limits. */
  readonly limits: SharedLimits;
  /** The descriptor budget of the process; `undefined` without /proc. */
  readonly descriptors: DescriptorBudget | undefined;
  /** The name of the `BroadcastChannel` between rooms, if there is one. */
  readonly channel: string | undefined;
  /** The event loop delay of each thread. */
  readonly loopDelay: LoopDelayMemory;
  /** The passphrases of encrypted keys, by the path of the key. */
  readonly passphrases: ReadonlyMap<string, string>;
}

/** A state that a worker is to take over. */
export interface WorkerTask {
  /** The outlets and the options of the server. */
  readonly state: DesiredState;
  /** The shared counters of each outlet, by its id. */
  readonly limits: ReadonlyMap<number, SharedLimits>;
  /** How long connections of removed outlets may drain, in milliseconds. */
  readonly grace: number;
}

/** The health of one upstream of an outlet. */
export interface KnownHealth {
  /** The outlet's id. */
  readonly outlet: number;
  /** The upstream's address. */
  readonly name: string;
  /** Consecutive failures; 0 if it is healthy. */
  readonly failures: number;
}

/** A change of an upstream's health that a worker has found. */
export type HealthReport = KnownHealth & HealthFinding;

/** The listening addresses of outlets, by outlet id. */
export type Addresses = ReadonlyMap<number, Address>;

/** The requests that a worker handles, with their results. */
export interface WorkerMethods {
  /** Initializes the worker, without any outlets. */
  start(
    task: { state: DesiredState; shared: SharedResources; slot: WorkerSlot },
  ): Promise<void>;
  /** Prepares a change, without binding anything. */
  prepare(task: WorkerTask): Promise<void>;
  /** Binds what was prepared, at these addresses if known; returns the bound addresses. */
  bind(task: { addresses: Addresses; alone: boolean }): Promise<Addresses>;
  /** Commits the prepared change. */
  commit(task: undefined): Promise<void>;
  /** Undoes the prepared change. */
  undo(task: undefined): Promise<void>;
  /** Prepares, binds and commits in one step. */
  join(task: WorkerTask & { takesOver: boolean }): Promise<void>;
  /** Shortens the grace period of a draining outlet; returns the aborted connections. */
  drain(task: { outlet: number; grace: number }): Promise<number>;
  /** Accepts what is queued, then closes all welcome sockets. Connections are kept. */
  stopListening(task: undefined): Promise<void>;
  /** Stops, and returns how many connections were aborted. */
  stop(task: { grace: number }): Promise<number>;
  /** Updates the health of upstreams. */
  health(known: readonly KnownHealth[]): Promise<void>;
  /** Appoints or dismisses this worker as the leader. */
  lead(task: { leads: boolean }): Promise<void>;
  /** Delivers news of the bus. */
  bus(news: BusNews): Promise<void>;
  /** Writes bytes to a connection. */
  write(task: { connection: number; bytes: Uint8Array }): Promise<void>;
  /** Ends the sending direction of a connection. */
  closeWrite(task: { connection: number }): Promise<void>;
  /** Closes a connection. */
  closeConnection(task: { connection: number; reason: EndReason }): Promise<void>;
  /** Starts or stops sending the bytes of a connection to the supervisor. */
  tap(task: { connection: number; on: boolean }): Promise<void>;
}

/** A request to a worker. */
export type WorkerRequest = {
  [Name in keyof WorkerMethods]: {
    readonly number: number;
    readonly name: Name;
    readonly task: Parameters<WorkerMethods[Name]>[0];
  };
}[keyof WorkerMethods];

/** A chat room of a worker. */
export interface WorkerRoom {
  /** The name. */
  readonly name: string;
  /** Whether the name was configured, so that other servers share the room. */
  readonly isPublic: boolean;
}

/** A message from a worker, discriminated by `type`. */
export type WorkerMessage =
  | { readonly type: "done"; readonly number: number; readonly value: unknown }
  | { readonly type: "failed"; readonly number: number; readonly reason: string }
  | { readonly type: "events"; readonly events: readonly OutletEvent[] }
  /** Four numbers for each connection with traffic: id, bytes in, bytes out, 1 if half closed. */
  | { readonly type: "counts"; readonly counts: Float64Array }
  | { readonly type: "room"; readonly room: WorkerRoom; readonly isOpen: boolean }
  /** Sent every second; it is also the worker's heartbeat. */
  | { readonly type: "buses"; readonly buses: readonly BusStatus[] }
  | { readonly type: "bus"; readonly call: BusCall }
  | { readonly type: "health"; readonly report: HealthReport }
  | { readonly type: "names"; readonly counts: ResolverCounts }
  | {
    readonly type: "bytes";
    readonly connection: number;
    readonly direction: "received" | "sent";
    readonly bytes: Uint8Array;
  };

/** The supervisor's end of the channel to a worker; a `Worker` in production. */
export interface WorkerPort {
  /** Called with each message from the worker. */
  onmessage: ((message: { data: WorkerMessage }) => void) | null;
  /** Called when the thread has failed. */
  onerror: ((event: { message: string; preventDefault(): void }) => void) | null;
  /** Sends a request to the worker. */
  postMessage(request: WorkerRequest): void;
  /** Terminates the thread. */
  terminate(): void;
}
