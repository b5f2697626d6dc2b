/**
 * What a pool of workers is made with.
 *
 * @module
 */
import type { WorkerMessage, WorkerPort } from "./messages.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** How a worker has come to be no more. */
export interface WorkerLoss {
  /** What it ended of, in words. */
  readonly reason: string;
  /** Whether it still runs, and answers nobody. */
  readonly hangs: boolean;
}

/** Who does what with the threads. */
export interface WorkerPoolOptions {
  /** How many workers there are. */
  readonly count: number;
  /** Starts a thread. */
  spawn(index: number): WorkerPort;
  /** Makes a thread ready to be a worker. */
  start(worker: WorkerHandle): Promise<void>;
  /** Brings a worker to what the others are; `before`, where it takes the place of one that serves. */
  join(worker: WorkerHandle, before?: WorkerHandle): Promise<void>;
  /** Told of what a worker says by itself. */
  onMessage(message: WorkerMessage, worker: WorkerHandle): void;
  /** Told that a worker is no more. */
  onGone(worker: WorkerHandle, loss: WorkerLoss): void;
  /** Told that a worker has ended as it was asked to. */
  onRetired(worker: WorkerHandle): void;
  /** Takes the welcome sockets from a worker that hangs; rejects where that can't be done. */
  releaseSockets(worker: WorkerHandle): Promise<void>;
  /** Told that a worker hangs beside which no other can work. */
  onFatal(error: Error): void;
  /** How long a worker may say nothing before it hangs, in milliseconds; ten seconds, unless it is said. */
  readonly silence?: number | undefined;
  /** Waits; with the system's timer, unless it is said. */
  readonly wait?:
    | ((milliseconds: number, options: { signal: AbortSignal }) => Promise<void>)
    | undefined;
}
