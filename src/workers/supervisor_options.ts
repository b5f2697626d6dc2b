/**
 * The options of a supervisor.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { HttpAddresses } from "../events/server_events.ts";
import type { ServerControlOptions } from "../server/server_control.ts";
import type { WorkerPort } from "./messages.ts";
import type { WorkerPoolOptions } from "./worker_pool_options.ts";

/** Options of a supervisor. */
export interface SupervisorOptions {
  /** The number of workers. */
  readonly workers: number;
  /** Receives the events of all workers. */
  readonly eventBus: EventBus;
  /** The addresses of metrics and console, for its `ready` event. */
  readonly http?: HttpAddresses | undefined;
  /** The module that workers run; `worker.ts` by default. */
  readonly module?: URL;
  /** The silence after which a worker counts as hanging, in milliseconds; 10 s by default. */
  readonly silence?: number;
  /** Starts a worker; a thread by default. */
  readonly spawn?: (index: number) => WorkerPort;
  /** Waits before a worker is restarted; a timer by default. */
  readonly wait?: WorkerPoolOptions["wait"];
  /** Checks whether a config can be applied; on this machine by default. */
  readonly inspect?: ServerControlOptions["inspect"];
  /** Whether rooms of the same name in several workers are one room; `true` by default. */
  readonly joinRooms?: boolean;
}
