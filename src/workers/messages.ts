/**
 * What a supervisor and its workers say to each other. All of it is plain data.
 *
 * @module
 */
import type { ServerConfig } from "../config/server_config.ts";
import type { Changes } from "../server/handle.ts";
import type { EndReason } from "../connection/end_reason.ts";
import type { OutletEvent } from "../events/events.ts";
import type { BusStatus } from "../chat/status.ts";
import type { DescriptorBudget } from "../admission/descriptors.ts";
import type { SharedLimits, WorkerSlot } from "./shared_counters.ts";

/** What all workers see: counters, and what they were told once. */
export interface SharedResources {
  /** Numbers connections: the last number that was given. */
  readonly numbers: Int32Array<SharedArrayBuffer>;
  /** The counters of the server's door. */
  readonly limits: SharedLimits;
  /** What the descriptor limit of the process allows. */
  readonly descriptors: DescriptorBudget | undefined;
  /** The channel between their rooms. */
  readonly channel: string;
}

/** The counters of outlets' doors, by their addresses. */
export type SharedLimitsByAddress = ReadonlyMap<string, SharedLimits>;

/** What a worker can be asked for, and what it answers. */
export interface WorkerMethods {
  /** Opens every outlet. */
  open(
    task: {
      config: ServerConfig;
      doors: SharedLimitsByAddress;
      shared: SharedResources;
      place: WorkerSlot;
    },
  ): Promise<void>;
  /** Becomes what another config asks for. */
  change(task: { config: ServerConfig; doors: SharedLimitsByAddress }): Promise<Changes>;
  /** Closes one outlet; how many connections had to be cut. */
  close(task: { address: string; grace: number }): Promise<number>;
  /** Stops; how many connections had to be cut. */
  stop(task: { grace: number }): Promise<number>;
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

/** What a worker says. Tell them apart by `told`. */
export type WorkerMessage =
  | { readonly type: "done"; readonly number: number; readonly value: unknown }
  | { readonly type: "failed"; readonly number: number; readonly reason: string }
  | { readonly type: "events"; readonly events: readonly OutletEvent[] }
  /** Connections that carried something: number, bytes in, bytes out, whether a half is closed; and so on. */
  | { readonly type: "counts"; readonly counts: Float64Array }
  | { readonly type: "room"; readonly name: string; readonly isPublic: boolean }
  | { readonly type: "buses"; readonly buses: readonly BusStatus[] }
  | {
    readonly type: "bytes";
    readonly connection: number;
    readonly way: "received" | "sent";
    readonly bytes: Uint8Array;
  }
  | { readonly type: "died"; readonly reason: string };
