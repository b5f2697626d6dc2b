/**
 * Several upstreams for the same service: which one comes next, and what to do when one is down.
 *
 * @module
 */
import { TaskScope } from "../../scheduling/task_scope.ts";
import { delay } from "@std/async/delay";
import { formatDuration } from "../../options/quantity.ts";
import type { Address } from "../../endpoint/address.ts";
import type { ByteStream } from "../../transport/stream.ts";
import { dial } from "../../transport/dial.ts";
import { isShortage } from "../../transport/errors.ts";
import type { SharedHealth } from "../shared_health.ts";
import { Upstream } from "./upstream.ts";

/** Whose turn it is: everyone's in turn, who has the fewest clients, or the first that is up. */
export type Balance = "round-robin" | "least-connections" | "first";

/** What a pool is made of. */
export interface PoolOptions {
  /** Where the upstreams are. */
  readonly addresses: readonly Address[];
  /** Who comes next. */
  readonly balance: Balance;
  /** Milliseconds that an upstream has to answer. */
  readonly connectTimeout: number;
  /** Shares what is found out of upstreams with the other threads of the server. */
  readonly health: SharedHealth;
  /** Aborted when the pool is no longer used. */
  readonly signal: AbortSignal;
}

/** A connection to an upstream. Disposing it gives the place back; the socket is the caller's to close. */
export interface Lease extends Disposable {
  /** The connection. */
  readonly socket: ByteStream;
  /** Where it leads, as people write it. */
  readonly name: string;
}

const tasks = new TaskScope("a health check", { without: "connections find out" });

/** Upstreams that stand in for each other. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #upstreams: readonly Upstream[];
  #turn = 0;

  /** Takes all of them to be up that no other thread has found to be down. */
  constructor(options: PoolOptions) {
    const { addresses, health, signal } = this.#options = options;
    this.#upstreams = addresses.map((address) => new Upstream(address));
    for (const upstream of this.#upstreams) {
      health.follow(upstream.name, { signal, adopt: (failures) => upstream.adopt(failures) });
    }
  }

  /**
   * Connects to the upstream whose turn it is, or else to the next. Names are looked up each time.
   *
   * @throws {Error} which tells of every upstream why it could not be reached
   */
  async connect(signal: AbortSignal): Promise<Lease> {
    const faults: string[] = [];
    for (const upstream of this.#order()) {
      upstream.live++;
      const outcome = await this.#try(upstream, { signal, timeout: this.#options.connectTimeout });
      if (outcome instanceof Error) {
        upstream.live--;
        if (signal.aborted) throw outcome;
        faults.push(outcome.message);
      } else {
        return {
          socket: outcome,
          name: upstream.name,
          [Symbol.dispose]: () => void upstream.live--,
        };
      }
    }
    throw new Error(`no upstream available: ${faults.join("; ")}`);
  }

  /** Connects to every upstream now and then, and closes again, until the signal is aborted. */
  check({ every, signal }: { every: number; signal: AbortSignal }): void {
    for (const upstream of this.#upstreams) {
      tasks.run(this.#checkOne(upstream, { every, signal }));
    }
  }

  async #checkOne(
    upstream: Upstream,
    { every, signal }: { every: number; signal: AbortSignal },
  ): Promise<void> {
    const timeout = Math.min(every, this.#options.connectTimeout);
    while (!signal.aborted) {
      const outcome = await this.#try(upstream, { signal, timeout });
      if (!(outcome instanceof Error)) outcome.close();
      await delay(every, { signal }).catch(() => {});
    }
  }

  async #try(
    upstream: Upstream,
    { signal, timeout }: { signal: AbortSignal; timeout: number },
  ): Promise<ByteStream | Error> {
    const attempt = upstream.attempt();
    try {
      const socket = await dial(upstream, { timeout, signal });
      if (attempt.succeeded()) this.#report(upstream, `${upstream.name} is up again`);
      return socket;
    } catch (error) {
      const fault = error as Error;
      if (signal.aborted || isShortage(fault.cause)) attempt.abandoned();
      else if (attempt.failed()) {
        this.#report(
          upstream,
          `${fault.message}; not used for ${formatDuration(upstream.pause)}`,
        );
      }
      return fault;
    }
  }

  #report({ name, failures }: Upstream, text: string): void {
    this.#options.health.report({ name, failures, text });
  }

  /**
   * The upstreams in the order in which to try them: first those whose turn it may be, then those that were
   * down a moment ago. They come last, but they come: no client is sent away without a try.
   */
  #order(): Upstream[] {
    const count = this.#upstreams.length;
    if (count === 1) return [...this.#upstreams];
    const start = this.#options.balance === "first" ? 0 : this.#turn++ % count;
    const inTurn = [...this.#upstreams.slice(start), ...this.#upstreams.slice(0, start)];
    const { due = [], paused = [] } = Object.groupBy(
      inTurn,
      (upstream) => upstream.isDue ? "due" : "paused",
    );
    if (this.#options.balance === "least-connections") due.sort((a, b) => a.live - b.live);
    return [...due, ...paused];
  }
}
