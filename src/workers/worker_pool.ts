/**
 * The threads of a supervisor: they are started, watched, and replaced when they end or hang.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { BackOff } from "./back_off.ts";
import { Shares } from "./shared_counters.ts";
import type { WorkerLoss, WorkerPoolOptions } from "./worker_pool_options.ts";
import { WorkerGoneError, WorkerHandle } from "./worker_handle.ts";

/**
 * How often workers are looked after, and how long one may say nothing, in milliseconds. One that has said nothing yet
 * loads its modules: on a busy machine that takes any time, and another one in its place would only begin it anew.
 */
const HEARTBEAT = { every: 1_000, silence: 10_000 };

const tasks = new TaskScope("looking after workers", { without: "the others go on" });

/** So many threads. */
export class WorkerPool implements Disposable {
  readonly #options: WorkerPoolOptions;
  readonly #stopping = new AbortController();
  readonly #workers = new Map<number, WorkerHandle>();
  /** Workers that serve until those are ready that take their places. */
  readonly #yielding = new Set<WorkerHandle>();
  /** Workers that let their last clients go. */
  readonly #retiring = new Set<WorkerHandle>();
  #renewing: Promise<void> | undefined;
  readonly #shares: Shares;
  readonly #wait: NonNullable<WorkerPoolOptions["wait"]>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lookedAt = 0;
  readonly #backOff = new BackOff();

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
   * Puts a new worker beside each, one after the other, and gives the old one to `retire`. Asked again meanwhile, it is
   * the same renewal.
   *
   * @throws {Error} which says why a new one can't be had: the old one stays
   */
  renew(retire: (worker: WorkerHandle) => Promise<void>): Promise<void> {
    return this.#renewing ??= this.#renew(retire).finally(() => this.#renewing = undefined);
  }

  async #renew(retire: (worker: WorkerHandle) => Promise<void>): Promise<void> {
    for (const [index, old] of [...this.#workers]) {
      // Whoever has taken its place meanwhile is new.
      if (this.#workers.get(index) !== old) continue;
      await during(this.#yielding, { worker: old, work: () => this.#startBeside(old) });
      if (old.isGone) continue;
      await during(this.#retiring, { worker: old, work: () => retire(old) });
      if (old.isGone) continue;
      old[Symbol.dispose]();
      // Its successor may have died in the moment after it had joined.
      const isPlaceEmpty = this.#workers.get(index) === old;
      this.#forget(old);
      if (isPlaceEmpty) this.#replace(index);
    }
  }

  /** Starts a worker that takes the place of one that serves still; where it cannot, all stays as it was. */
  async #startBeside(old: WorkerHandle): Promise<void> {
    if (this.#stopping.signal.aborted) throw new Error("the server is stopping");
    const worker = this.#spawn(old.index);
    if (!worker) throw new Error("too many workers hang: no more can be started");
    try {
      await this.#options.start(worker);
      await this.#options.join(worker, old);
    } catch (error) {
      if (worker.isGone) throw error;
      worker[Symbol.dispose]();
      this.#forget(worker);
      if (!old.isGone) this.#workers.set(old.index, old);
      throw error;
    }
  }

  /** Looks who has said nothing for too long, as its timer does. Who looks late accuses nobody. */
  look(now: number): void {
    const wasLate = now - this.#lookedAt > 2 * HEARTBEAT.every;
    this.#lookedAt = now;
    for (const worker of this.#all()) {
      const { silence = HEARTBEAT.silence } = this.#options;
      if (wasLate || !worker.hasStarted) worker.heardAt = now;
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
    for (const worker of this.#all()) worker[Symbol.dispose]();
    this.#workers.clear();
  }

  #all(): WorkerHandle[] {
    return [...this.#workers.values(), ...this.#yielding, ...this.#retiring];
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
        if (this.#lose(worker, { reason, hangs: false })) this.#replace(index);
      },
    });
    this.#workers.set(index, worker);
    return worker;
  }

  /** Takes note that a worker is no more; whether its place is empty. */
  #lose(worker: WorkerHandle, loss: WorkerLoss): boolean {
    const { index } = worker;
    const isCurrent = this.#workers.get(index) === worker;
    if (isCurrent) this.#workers.delete(index);
    this.#yielding.delete(worker);
    this.#options.onGone(worker, loss);
    if (!loss.hangs) this.#shares.giveBack(worker.slot.share);
    // The one whose place it was to take goes on.
    const old = [...this.#yielding].find((other) => other.index === index);
    if (isCurrent && old) this.#workers.set(index, old);
    return isCurrent && !old;
  }

  /** Takes note that a worker has ended as it was asked to. */
  #forget(worker: WorkerHandle): void {
    if (this.#workers.get(worker.index) === worker) this.#workers.delete(worker.index);
    this.#options.onRetired(worker);
    this.#shares.giveBack(worker.slot.share);
  }

  /** A thread that hangs cannot be ended; only its sockets can be taken from it. */
  #giveUp(worker: WorkerHandle, now: number): void {
    worker[Symbol.dispose]();
    const seconds = Math.round((now - worker.heardAt) / 1_000);
    const isEmpty = this.#lose(worker, {
      reason: `it hangs: nothing was heard of it for ${seconds} s`,
      hangs: true,
    });
    tasks.run(
      this.#options.releaseSockets(worker).then(
        () => isEmpty && this.#replace(worker.index),
        (error) => this.#options.onFatal(error),
      ),
    );
  }

  /** Puts another worker in the place of one that is no more. */
  #replace(index: number): void {
    tasks.run(async () => {
      await this.#wait(this.#backOff.next(), { signal: this.#stopping.signal }).catch(() => {});
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
}

/** Keeps a worker in a set while something goes on. */
async function during(
  set: Set<WorkerHandle>,
  { worker, work }: { worker: WorkerHandle; work: () => Promise<void> },
): Promise<void> {
  set.add(worker);
  try {
    await work();
  } finally {
    set.delete(worker);
  }
}
