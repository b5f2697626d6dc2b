/**
 * The threads of a supervisor: they are started, watched, and replaced when they end or hang.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import type { WorkerMessage, WorkerPort } from "./messages.ts";
import { Shares } from "./shared_counters.ts";
import { WorkerGoneError, WorkerHandle } from "./worker_handle.ts";

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
  /** Brings a worker that replaces another to what the others are. */
  join(worker: WorkerHandle): Promise<void>;
  /** Told of what a worker says by itself. */
  onMessage(message: WorkerMessage, worker: WorkerHandle): void;
  /** Told that a worker is no more. */
  onGone(worker: WorkerHandle, loss: WorkerLoss): void;
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

/** The pause before a worker that ended is replaced, in milliseconds; it doubles while it ends at once. */
const BACK_OFF = { first: 10, last: 5_000 };

/**
 * How often workers are looked after, and how long one may say nothing, in milliseconds: at first for longer, since a
 * thread that loads its modules on a busy machine is no thread that hangs.
 */
const HEARTBEAT = { every: 1_000, silence: 10_000, start: 60_000 };

const tasks = new TaskScope("looking after workers", { without: "the others go on" });

/** So many threads. */
export class WorkerPool implements Disposable {
  readonly #options: WorkerPoolOptions;
  readonly #stopping = new AbortController();
  readonly #workers = new Map<number, WorkerHandle>();
  readonly #shares: Shares;
  readonly #wait: NonNullable<WorkerPoolOptions["wait"]>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lookedAt = 0;
  #backOff: number = BACK_OFF.first;
  #lostAt = -Infinity;

  /** No threads yet. */
  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#shares = new Shares(options.count);
    this.#wait = options.wait ?? delay;
  }

  /**
   * Starts all threads.
   *
   * @throws {Error} which says why one of them can't be had
   */
  async start(): Promise<WorkerHandle[]> {
    const workers = Array.from({ length: this.#options.count }, (_, index) => this.#spawn(index)!);
    this.#watch();
    await Promise.all(workers.map((worker) =>
      this.#options.start(worker).catch((error) => {
        // Another one takes its place.
        if (!(error instanceof WorkerGoneError)) throw error;
      })
    ));
    return workers.filter(({ isGone }) => !isGone);
  }

  /**
   * Puts a new worker beside each, one after the other, and gives the old one to `retire`.
   *
   * @throws {Error} which says why a new one can't be had: the old one stays
   */
  async renew(retire: (worker: WorkerHandle) => Promise<void>): Promise<void> {
    for (const [index, old] of [...this.#workers]) {
      const worker = this.#spawn(index);
      if (!worker) return;
      try {
        await this.#options.start(worker);
        await this.#options.join(worker);
      } catch (error) {
        worker[Symbol.dispose]();
        this.#shares.giveBack(worker.slot.share);
        if (!old.isGone) this.#workers.set(index, old);
        throw error;
      }
      if (old.isGone) continue;
      await retire(old);
      old[Symbol.dispose]();
      this.#shares.giveBack(old.slot.share);
    }
  }

  /** Looks who has said nothing for too long, as its timer does. Who looks late accuses nobody. */
  look(now: number): void {
    const wasLate = now - this.#lookedAt > 2 * HEARTBEAT.every;
    this.#lookedAt = now;
    for (const worker of this.#workers.values()) {
      const { silence: most = HEARTBEAT.silence } = this.#options;
      const silence = worker.hasStarted ? most : HEARTBEAT.start;
      if (wasLate) worker.heardAt = now;
      else if (now - worker.heardAt > silence) this.#giveUp(worker, now);
    }
  }

  /** No worker is replaced any more. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Ends all threads. */
  [Symbol.dispose](): void {
    this.stop();
    clearInterval(this.#timer);
    for (const worker of this.#workers.values()) worker[Symbol.dispose]();
    this.#workers.clear();
  }

  #watch(): void {
    this.#lookedAt = performance.now();
    this.#timer = setInterval(tasks.guard(() => this.look(performance.now())), HEARTBEAT.every);
  }

  #spawn(index: number): WorkerHandle | undefined {
    const { count, spawn, onMessage } = this.#options;
    const share = this.#shares.take();
    if (share === undefined) {
      this.#options.onFatal(new Error("too many workers hang: no more can be started"));
      return undefined;
    }
    const worker: WorkerHandle = new WorkerHandle({
      port: spawn(index),
      slot: { index, count, share },
      onMessage: (message) => onMessage(message, worker),
      onDied: (reason) => {
        const isReplaced = this.#workers.get(index) !== worker;
        this.#lose(worker, { reason, hangs: false });
        if (!isReplaced) this.#replace(index);
      },
    });
    this.#workers.set(index, worker);
    return worker;
  }

  #lose(worker: WorkerHandle, loss: WorkerLoss): void {
    if (this.#workers.get(worker.index) === worker) this.#workers.delete(worker.index);
    this.#options.onGone(worker, loss);
    if (!loss.hangs) this.#shares.giveBack(worker.slot.share);
  }

  /** A thread that hangs cannot be ended; only its sockets can be taken from it. */
  #giveUp(worker: WorkerHandle, now: number): void {
    worker[Symbol.dispose]();
    const seconds = Math.round((now - worker.heardAt) / 1_000);
    this.#lose(worker, {
      reason: `it hangs: nothing was heard of it for ${seconds} s`,
      hangs: true,
    });
    tasks.run(
      this.#options.releaseSockets(worker).then(
        () => this.#replace(worker.index),
        (error) => this.#options.onFatal(error),
      ),
    );
  }

  /** Puts another worker in the place of one that is no more. */
  #replace(index: number): void {
    tasks.run(async () => {
      await this.#pause();
      if (this.#stopping.signal.aborted) return;
      const worker = this.#spawn(index);
      if (!worker) return;
      try {
        await this.#options.start(worker);
        await this.#options.join(worker);
      } catch (error) {
        // What has ended by itself has been seen to.
        if (worker.isGone) return;
        worker[Symbol.dispose]();
        if (this.#stopping.signal.aborted) return;
        this.#lose(worker, { reason: explain(error), hangs: false });
        this.#replace(index);
      }
    });
  }

  /** Waits a little, the longer the sooner workers end one after the other. */
  async #pause(): Promise<void> {
    const now = performance.now();
    this.#backOff = now - this.#lostAt > BACK_OFF.last * 2
      ? BACK_OFF.first
      : Math.min(this.#backOff * 2, BACK_OFF.last);
    this.#lostAt = now;
    await this.#wait(this.#backOff, { signal: this.#stopping.signal }).catch(() => {});
  }
}
