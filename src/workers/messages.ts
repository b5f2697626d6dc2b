/**
 * What a crew and its workers say to each other. All of it is plain data.
 *
 * @module
 */
import type { ServerConfig } from "../config/server_config.ts";
import type { Changes } from "../host.ts";
import type { OutletEvent } from "../observe/events.ts";
import type { BusStatus } from "../room/status.ts";
import type { DescriptorBudget } from "../socket/descriptors.ts";
import type { Place, SharedDoor } from "./ledger.ts";

/** What all workers see: counters, and what they were told once. */
export interface Shared {
  /** Numbers connections: the last number that was given. */
  readonly numbers: Int32Array<SharedArrayBuffer>;
  /** The counters of the server's door. */
  readonly door: SharedDoor;
  /** What the descriptor limit of the process allows. */
  readonly descriptors: DescriptorBudget | undefined;
  /** The channel between their rooms. */
  readonly channel: string;
}

/** The counters of outlets' doors, by their addresses. */
export type SharedDoors = ReadonlyMap<string, SharedDoor>;

/** What a worker can be asked for, and what it answers. */
export interface Tasks {
  /** Opens every outlet. */
  open(
    task: { config: ServerConfig; doors: SharedDoors; shared: Shared; place: Place },
  ): Promise<void>;
  /** Becomes what another config asks for. */
  change(task: { config: ServerConfig; doors: SharedDoors }): Promise<Changes>;
  /** Closes one outlet; how many connections had to be cut. */
  close(task: { address: string; grace: number }): Promise<number>;
  /** Stops; how many connections had to be cut. */
  stop(task: { grace: number }): Promise<number>;
  /** Sends bytes to a client. */
  interject(task: { connection: number; bytes: Uint8Array }): Promise<void>;
  /** Ends our half of a connection. */
  closeWrite(task: { connection: number }): Promise<void>;
  /** Closes a connection. */
  hangUp(task: { connection: number; reason: string }): Promise<void>;
  /** Tells what comes and goes on a connection, or tells it no more. */
  watch(task: { connection: number; on: boolean }): Promise<void>;
}

/** A task for a worker. */
export type Order = {
  [Name in keyof Tasks]: {
    readonly number: number;
    readonly name: Name;
    readonly task: Parameters<Tasks[Name]>[0];
  };
}[keyof Tasks];

/** What a worker says. Tell them apart by `told`. */
export type Told =
  | { readonly told: "done"; readonly number: number; readonly value: unknown }
  | { readonly told: "failed"; readonly number: number; readonly reason: string }
  | { readonly told: "events"; readonly events: readonly OutletEvent[] }
  /** Connections that carried something: number, bytes in, bytes out, whether a half is closed; and so on. */
  | { readonly told: "counts"; readonly counts: Float64Array }
  | { readonly told: "room"; readonly name: string; readonly isPublic: boolean }
  | { readonly told: "buses"; readonly buses: readonly BusStatus[] }
  | {
    readonly told: "bytes";
    readonly connection: number;
    readonly way: "received" | "sent";
    readonly bytes: Uint8Array;
  }
  | { readonly told: "died"; readonly reason: string };
