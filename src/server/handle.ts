/**
 * A running server, as those see it who watch and steer it: whether it is one, or several workers.
 *
 * @module
 */
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import type { Reloaded } from "../events/events.ts";
import type { ServerState } from "./change_queue.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { RoomsStatus } from "../chat/status.ts";
import type { LoopDelay } from "../scheduling/loop_delay.ts";
import type { Address } from "../endpoint/address.ts";
import type { ResolverCounts } from "../transport/resolver.ts";
import type { Connection } from "../connection/connection.ts";

/** A connection that is open, wherever it is served. */
export type LiveConnection = Pick<
  Connection,
  | "id"
  | "peer"
  | "local"
  | "openedAt"
  | "bytesIn"
  | "bytesOut"
  | "halfClosed"
  | "reason"
  | "notes"
  | "tap"
  | "write"
  | "closeWrite"
  | "close"
>;

/** An outlet that is open, wherever its clients are served. */
export interface OpenOutlet {
  /** Its number, which no other outlet of the server ever has. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** Where it listens, with the real port. */
  readonly address: Address;
  /** The connections that are open now. */
  readonly connections: Iterable<LiveConnection>;
  /** Aborted when it begins to stop. */
  readonly stopping: AbortSignal;
}

/** What a change of the config did. */
export type Changes = Pick<Reloaded, "opened" | "closed" | "changed">;

/** A running server. */
export interface ServerHandle extends AsyncDisposable {
  /** What it is doing. */
  readonly state: ServerState;
  /** Aborted when it cannot go on, with the reason: it should be stopped then. */
  readonly failed: AbortSignal;
  /** The chat rooms that its outlets share. */
  readonly rooms: Rooms;
  /** What they and the buses are like right now, in all of its workers. */
  roomsStatus(): RoomsStatus;
  /** How late its event loops are, those of all workers together. */
  readonly loopDelay: LoopDelay;
  /** How names are looked up, in all of its workers. */
  resolverCounts(): ResolverCounts;
  /** The open outlets. */
  readonly outlets: Iterable<OpenOutlet>;
  /** The outlets that have begun to close, and still have connections. */
  readonly draining: Iterable<OpenOutlet>;
  /** Every connection that is open now, also those of outlets that drain. */
  connections(): Iterable<{ outlet: OpenOutlet; connection: LiveConnection }>;
  /** Opens one more outlet. */
  open(config: OutletConfig): Promise<OpenOutlet>;
  /** Closes one; resolves to how many connections had to be cut after `grace` milliseconds. */
  close(outlet: OpenOutlet, options: { grace: number }): Promise<number>;
  /** Becomes what another config asks for. */
  change(config: ServerConfig): Promise<Changes>;
  /** Stops; resolves to how many connections had to be cut after `grace` milliseconds. */
  stop(options: { grace: number }): Promise<number>;
}
