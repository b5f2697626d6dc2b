/**
 * What a server with workers is opened with.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { ServerControlOptions } from "../server/server_control.ts";
import type { WorkerPort } from "./messages.ts";
import type { WorkerPoolOptions } from "./worker_pool_options.ts";

/** How a supervisor is opened. */
export interface SupervisorOptions {
  /** How many workers there are. */
  readonly workers: number;
  /** Told of everything that happens in any of them. */
  readonly eventBus: EventBus;
  /** The module that workers run. */
  readonly module?: URL;
  /** How long a worker may say nothing before it hangs, in milliseconds; ten seconds, unless it is said. */
  readonly silence?: number;
  /** Starts a worker; as a thread, unless it is said. */
  readonly spawn?: (index: number) => WorkerPort;
  /** Waits before a worker is replaced; by the system's timer, unless it is said. */
  readonly wait?: WorkerPoolOptions["wait"];
  /** Looks whether what is asked for can be had; at this machine, unless it is said. */
  readonly inspect?: ServerControlOptions["inspect"];
  /** Whether rooms of the same name in several workers are one, as they are unless it is said. */
  readonly joinRooms?: boolean;
}
