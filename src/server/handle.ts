/**
 * The interface of a running server for the console, metrics and library, with or without workers.
 *
 * @module
 */
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import type { Reloaded } from "../events/server_events.ts";
import type { ServerState } from "./change_queue.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { RoomsStatus } from "../chat/status.ts";
import type { LoopDelay } from "../scheduling/loop_delay.ts";
import type { Address } from "../endpoint/address.ts";
import type { ResolverCounts } from "../transport/resolver.ts";
import type { Connection } from "../connection/connection.ts";

/** An open connection, in this thread or in a worker. */
export type LiveConnection =
  & Pick<
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
  >
  & {
    /** Over UDP, the number of datagrams received from the client. */
    readonly datagramsIn?: number | undefined;
    /** Over UDP, the number of datagrams sent to the client. */
    readonly datagramsOut?: number | undefined;
  };

/** An open outlet, in this thread or in workers. */
export interface OpenOutlet {
  /** Its id, unique in the life of the server. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** The address at which it is bound. */
  readonly address: Address;
  /** Its open connections. */
  readonly connections: Iterable<LiveConnection>;
  /** Aborted when it starts to drain. */
  readonly stopping: AbortSignal;
}

/** What a reload changed. */
export type Changes = Pick<Reloaded, "opened" | "closed" | "changed">;

/** A running server. */
export interface ServerHandle extends AsyncDisposable {
  /** Its state. */
  readonly state: ServerState;
  /** Aborted with the reason when the server cannot continue and should be stopped. */
  readonly failed: AbortSignal;
  /** The chat rooms of its outlets. */
  readonly rooms: Rooms;
  /** The status of rooms and buses, over all workers. */
  roomsStatus(): RoomsStatus;
  /** The event loop delay, over all workers. */
  readonly loopDelay: LoopDelay;
  /** The counters of name look-ups, over all workers. */
  resolverCounts(): ResolverCounts;
  /** The open outlets. */
  readonly outlets: Iterable<OpenOutlet>;
  /** The outlets that drain and still have connections. */
  readonly draining: Iterable<OpenOutlet>;
  /** Every open connection, draining outlets included. */
  connections(): Iterable<{ outlet: OpenOutlet; connection: LiveConnection }>;
  /** Opens outlets: all of them, or none. */
  open(...configs: readonly OutletConfig[]): Promise<readonly OpenOutlet[]>;
  /**
   * Closes an outlet. Resolves to the number of connections that were aborted after `grace`
   * milliseconds.
   */
  close(outlet: OpenOutlet, options: { grace: number }): Promise<number>;
  /** Applies another config. */
  change(config: ServerConfig): Promise<Changes>;
  /**
   * Replaces every worker, one after the other, while the others and the new one accept. Resolves to the number of
   * connections that were aborted after `grace` milliseconds, the drain timeout by default.
   */
  restart(options?: { grace?: number }): Promise<number>;
  /**
   * Stops the server. Resolves to the number of connections that were aborted after `grace`
   * milliseconds.
   */
  stop(options: { grace: number }): Promise<number>;
}
