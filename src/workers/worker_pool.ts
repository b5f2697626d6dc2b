/**
 * Starts the worker threads, watches them, and restarts those that end or hang.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { BackOff } from "./back_off.ts";
import { Shares } from "./shared_counters.ts";
import type { WorkerLoss, WorkerPoolOptions } from "./worker_pool_options.ts";
import { WorkerEndedError, WorkerHandle } from "./worker_handle.ts";

/**
 * How often workers are checked, and how long one may be silent, in milliseconds: before its first
 * message it loads modules, which can take minutes on a busy machine.
 */
const HEARTBEAT = { every: 1_000, silence: 10_000, loading: 600_000 };

const NOT_LOADED = `its modules were not loaded within ${HEARTBEAT.loading / 60_000} min`;

const tasks = new TaskScope("checking the workers", { consequence: "the others go on" });

/** The worker threads. Disposing the pool terminates them. */
export class WorkerPool implements Disposable {
  readonly #options: WorkerPoolOptions;
  readonly #stopping = new AbortController();
  readonly #workers = new Map<number, WorkerHandle>();
  /** Workers that serve until their replacements are ready. */
  readonly #beingReplaced = new Set<WorkerHandle>();
  /** Replaced workers whose last connections drain. */
  readonly #retiring = new Set<WorkerHandle>();
  #renewing: Promise<void> | undefined;
  readonly #shares: Shares;
  readonly #wait: NonNullable<WorkerPoolOptions["wait"]>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #checkedAt = 0;
  readonly #backOff = new BackOff();
  #hangsWhileLoading = false;

  /** A pool without threads. */
  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#shares = new Shares(options.count);
    this.#wait = options.wait ?? delay;
  }

  /**
   * Starts all threads, and resolves to those that have started. Others are restarted.
   *
   * @throws {Error} if one cannot be initialized, or none has started and one hangs
   */
  async start(): Promise<WorkerHandle[]> {
    const workers = Array.from({ length: this.#options.count }, (_, index) => this.#spawn(index)!);
    this.#startTimer();
    await Promise.all(workers.map((worker) =>
      this.#options.start(worker).catch((error) => {
        // `onDied` restarts it.
        if (!(error instanceof WorkerEndedError)) throw error;
      })
    ));
    if (this.#hangsWhileLoading && !this.#all().some(({ hasStarted }) => hasStarted)) {
      throw new Error(`no worker can start: ${NOT_LOADED}`);
    }
    return workers.filter(({ hasEnded }) => !hasEnded);
  }

  /**
   * Replaces all workers in turn, calling `retire` with each old one. Concurrent calls share it.
   *
   * @throws {Error} if a new worker cannot be started; the old one stays
   */
  renew(retire: (worker: WorkerHandle) => Promise<void>): Promise<void> {
    return this.#renewing ??= this.#renew(retire).finally(() => this.#renewing = undefined);
  }

  async #renew(retire: (worker: WorkerHandle) => Promise<void>): Promise<void> {
    for (const [index, old] of [...this.#workers]) {
      // It was replaced meanwhile.
      if (this.#workers.get(index) !== old) continue;
      await during(this.#beingReplaced, { worker: old, work: () => this.#startBeside(old) });
      if (old.hasEnded) continue;
      await during(this.#retiring, { worker: old, work: () => retire(old) });
      if (old.hasEnded) continue;
      old[Symbol.dispose]();
      // Its replacement may have died just after it joined.
      const isPlaceEmpty = this.#workers.get(index) === old;
      this.#onRetired(old);
      if (isPlaceEmpty) this.#restart(index);
    }
  }

  /** Starts a replacement for a serving worker, which stays if that fails. */
  async #startBeside(old: WorkerHandle): Promise<void> {
    if (this.#stopping.signal.aborted) throw new Error("the server is stopping");
    const worker = this.#spawn(old.index);
    if (!worker) throw new Error("too many workers hang: no more can be started");
    try {
      await this.#options.start(worker);
      await this.#options.join(worker, old);
    } catch (error) {
      if (worker.hasEnded) throw error;
      worker[Symbol.dispose]();
      this.#onRetired(worker);
      if (!old.hasEnded) this.#workers.set(old.index, old);
      throw error;
    }
  }

  /** Gives up workers that were silent too long, unless this check itself is late. */
  checkSilence(now: number): void {
    const wasLate = now - this.#checkedAt > 2 * HEARTBEAT.every;
    this.#checkedAt = now;
    for (const worker of this.#all()) {
      const { silence = HEARTBEAT.silence } = this.#options;
      const limit = worker.hasStarted ? silence : HEARTBEAT.loading;
      if (wasLate) worker.lastMessageAt = now;
      else if (now - worker.lastMessageAt > limit) this.#giveUp(worker, now);
    }
  }

  /** Restarts no more workers. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Terminates all threads. */
  [Symbol.dispose](): void {
    this.stop();
    clearInterval(this.#timer);
    for (const worker of this.#all()) worker[Symbol.dispose]();
    this.#workers.clear();
  }

  #all(): WorkerHandle[] {
    return [...this.#workers.values(), ...this.#beingReplaced, ...this.#retiring];
  }

  #startTimer(): void {
    this.#checkedAt = performance.now();
    this.#timer = setInterval(
      tasks.guard(() => this.checkSilence(performance.now())),
      HEARTBEAT.every,
    );
  }

  #spawn(index: number): WorkerHandle | undefined {
    const { count, spawn, onMessage } = this.#options;
    const share = this.#shares.acquire();
    if (share === undefined) {
      this.#options.onFatal(new Error("too many workers hang: no more can be started"));
      return undefined;
    }
    const worker: WorkerHandle = new WorkerHandle({
      port: spawn(index),
      slot: { index, count, share },
      onMessage: (message) => onMessage(message, worker),
      onDied: (reason) => {
        if (this.#onLost(worker, { reason, hangs: false })) this.#restart(index);
      },
    });
    this.#workers.set(index, worker);
    return worker;
  }

  /** Removes a worker that has failed; whether it has to be restarted. */
  #onLost(worker: WorkerHandle, loss: WorkerLoss): boolean {
    const { index } = worker;
    const isCurrent = this.#workers.get(index) === worker;
    if (isCurrent) this.#workers.delete(index);
    this.#beingReplaced.delete(worker);
    this.#options.onGone(worker, loss);
    if (!loss.hangs) this.#shares.release(worker.slot.share);
    // The worker that it was to replace goes on.
    const old = [...this.#beingReplaced].find((other) => other.index === index);
    if (isCurrent && old) this.#workers.set(index, old);
    return isCurrent && !old;
  }

  /** Removes a worker that was stopped. */
  #onRetired(worker: WorkerHandle): void {
    if (this.#workers.get(worker.index) === worker) this.#workers.delete(worker.index);
    this.#options.onRetired(worker);
    this.#shares.release(worker.slot.share);
  }

  /** A thread that hangs cannot be terminated; only its sockets can be shut down. */
  #giveUp(worker: WorkerHandle, now: number): void {
    const { hasStarted, lastMessageAt, index } = worker;
    const silence = `it hangs: no heartbeat for ${Math.round((now - lastMessageAt) / 1_000)} s`;
    if (!hasStarted) this.#hangsWhileLoading = true;
    worker[Symbol.dispose]();
    const reason = hasStarted ? silence : NOT_LOADED;
    const isEmpty = this.#onLost(worker, { reason, hangs: true });
    // Before it has started, it has no sockets.
    const released = hasStarted ? this.#options.releaseSockets(worker) : Promise.resolve();
    tasks.run(
      released.then(
        () => isEmpty && this.#restart(index),
        (error) => this.#options.onFatal(error),
      ),
    );
  }

  /** Restarts a worker after the back-off. */
  #restart(index: number): void {
    tasks.run(async () => {
      await this.#wait(this.#backOff.next(), { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      const worker = this.#spawn(index);
      if (!worker) return;
      try {
        await this.#options.start(worker);
        await this.#options.join(worker);
      } catch (error) {
        // A worker that died was already handled by `onDied`.
        if (worker.hasEnded) return;
        worker[Symbol.dispose]();
        if (this.#stopping.signal.aborted) return;
        this.#onLost(worker, { reason: explain(error), hangs: false });
        this.#restart(index);
      }
    });
  }
}

/** Adds a worker to a set while `work` runs. */
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
