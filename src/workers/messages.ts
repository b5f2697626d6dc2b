/**
 * What a supervisor and its workers say to each other. All of it is plain data.
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

/** What all workers see: counters, and what they were told once. */
export interface SharedResources {
  /** Numbers connections: the last number that was given. */
  readonly numbers: BigInt64Array<SharedArrayBuffer>;
  /** The counters of the server's limits. */
  readonly limits: SharedLimits;
  /** What the descriptor limit of the process allows. */
  readonly descriptors: DescriptorBudget | undefined;
  /** The channel between their rooms, where there is one. */
  readonly channel: string | undefined;
  /** Where each thread counts how late its event loop is. */
  readonly loopDelay: LoopDelayMemory;
  /** The passphrases of encrypted keys, by the path of the key. */
  readonly passphrases: ReadonlyMap<string, string>;
}

/** What a worker is to be. */
export interface WorkerTask {
  /** The outlets, and what holds for all of them. */
  readonly state: DesiredState;
  /** What all workers count together at an outlet, by its number. */
  readonly limits: ReadonlyMap<number, SharedLimits>;
  /** Milliseconds that connections of outlets that are to be gone may go on. */
  readonly grace: number;
}

/** How often in a row an upstream of an outlet has failed. */
export interface KnownHealth {
  /** The outlet's id. */
  readonly outlet: number;
  /** The upstream. */
  readonly name: string;
  /** Failures in a row; 0 once it is well. */
  readonly failures: number;
}

/** A finding of a worker, for the supervisor. */
export type HealthReport = KnownHealth & HealthFinding;

/** Where outlets listen, by their numbers. */
export type Addresses = ReadonlyMap<number, Address>;

/** What a worker can be asked for, and what it answers. */
export interface WorkerMethods {
  /** Makes ready to be a worker, without any outlets. */
  start(
    task: { state: DesiredState; shared: SharedResources; slot: WorkerSlot },
  ): Promise<void>;
  /** Makes ready to become something else; nothing is bound. */
  prepare(task: WorkerTask): Promise<void>;
  /** Binds what was prepared: at these addresses, as far as they are known; where it listens then. */
  bind(task: { addresses: Addresses; alone: boolean }): Promise<Addresses>;
  /** Becomes what was prepared and bound. */
  commit(task: undefined): Promise<void>;
  /** Stays what it was. */
  undo(task: undefined): Promise<void>;
  /** Becomes what the other workers are already: prepares, then binds and accepts without a pause in between. */
  join(task: WorkerTask & { takesOver: boolean }): Promise<void>;
  /** Gives an outlet that drains less time. */
  drain(task: { outlet: number; grace: number }): Promise<number>;
  /** Accepts who waits, and closes all welcome sockets; connections go on. */
  stopListening(task: undefined): Promise<void>;
  /** Stops; how many connections had to be cut. */
  stop(task: { grace: number }): Promise<number>;
  /** Takes over what is known of the health of upstreams. */
  health(known: readonly KnownHealth[]): Promise<void>;
  /** Makes this worker the one that does what is done once a server, or not. */
  lead(task: { leads: boolean }): Promise<void>;
  /** Tells something of the bus. */
  bus(news: BusNews): Promise<void>;
  /** Sends bytes to a client. */
  write(task: { connection: number; bytes: Uint8Array }): Promise<void>;
  /** Ends our half of a connection. */
  closeWrite(task: { connection: number }): Promise<void>;
  /** Closes a connection. */
  closeConnection(task: { connection: number; reason: EndReason }): Promise<void>;
  /** Tells what comes and goes on a connection, or tells it no more. */
  tap(task: { connection: number; on: boolean }): Promise<void>;
}

/** A task for a worker. */
export type WorkerRequest = {
  [Name in keyof WorkerMethods]: {
    readonly number: number;
    readonly name: Name;
    readonly task: Parameters<WorkerMethods[Name]>[0];
  };
}[keyof WorkerMethods];

/** A room, as workers name it. */
export interface WorkerRoom {
  /** What it is called. */
  readonly name: string;
  /** Whether it was given that name on purpose. */
  readonly isPublic: boolean;
}

/** What a worker says. Tell them apart by `type`. */
export type WorkerMessage =
  | { readonly type: "done"; readonly number: number; readonly value: unknown }
  | { readonly type: "failed"; readonly number: number; readonly reason: string }
  | { readonly type: "events"; readonly events: readonly OutletEvent[] }
  /** Connections that carried something: number, bytes in, bytes out, whether a half is closed; and so on. */
  | { readonly type: "counts"; readonly counts: Float64Array }
  | { readonly type: "room"; readonly room: WorkerRoom; readonly isOpen: boolean }
  /** Said every second, so that a worker that says nothing is known to hang. */
  | { readonly type: "buses"; readonly buses: readonly BusStatus[] }
  | { readonly type: "bus"; readonly call: BusCall }
  | { readonly type: "health"; readonly report: HealthReport }
  | { readonly type: "names"; readonly counts: ResolverCounts }
  | {
    readonly type: "bytes";
    readonly connection: number;
    readonly way: "received" | "sent";
    readonly bytes: Uint8Array;
  };

/** One end of the way between a supervisor and a worker. */
export interface WorkerPort {
  /** Told of each message from the other end. */
  onmessage: ((message: { data: WorkerMessage }) => void) | null;
  /** Told that the thread has failed. */
  onerror: ((event: { message: string; preventDefault(): void }) => void) | null;
  /** Sends a request to the other end. */
  postMessage(request: WorkerRequest): void;
  /** Ends the thread. */
  terminate(): void;
}
