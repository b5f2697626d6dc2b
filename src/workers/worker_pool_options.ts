/**
 * The options of a worker pool.
 *
 * @module
 */
import type { WorkerMessage, WorkerPort } from "./messages.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** How a worker failed. */
export interface WorkerLoss {
  /** The reason, for users. */
  readonly reason: string;
  /** Whether the thread still runs, but does not respond. */
  readonly hangs: boolean;
}

/** Options of a worker pool. */
export interface WorkerPoolOptions {
  /** The number of workers. */
  readonly count: number;
  /** Starts a thread. */
  spawn(index: number): WorkerPort;
  /** Initializes a started thread. */
  start(worker: WorkerHandle): Promise<void>;
  /** Brings a worker to the state of the others; `before` is the worker that it replaces. */
  join(worker: WorkerHandle, before?: WorkerHandle): Promise<void>;
  /** Called with each message that is not a response. */
  onMessage(message: WorkerMessage, worker: WorkerHandle): void;
  /** Called when a worker has failed. */
  onGone(worker: WorkerHandle, loss: WorkerLoss): void;
  /** Called when a worker was stopped. */
  onRetired(worker: WorkerHandle): void;
  /** Shuts down the welcome sockets of a worker that hangs; rejects if that is impossible. */
  releaseSockets(worker: WorkerHandle): Promise<void>;
  /** Called when a worker hangs and cannot be replaced. */
  onFatal(error: Error): void;
  /** The silence after which a worker counts as hanging, in milliseconds; 10 s by default. */
  readonly silence?: number | undefined;
  /** Waits; a timer by default. */
  readonly wait?:
    | ((milliseconds: number, options: { signal: AbortSignal }) => Promise<void>)
    | undefined;
}
