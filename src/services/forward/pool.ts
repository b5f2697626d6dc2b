/**
 * A pool of upstreams: load balancing and failover.
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
import { type Balance, UpstreamOrder } from "./upstream_order.ts";
import { Upstream } from "./upstream.ts";

/** Options of a {@linkcode Pool}. */
export interface PoolOptions {
  /** The addresses of the upstreams. */
  readonly addresses: readonly Address[];
  /** The balancing algorithm. */
  readonly balance: Balance;
  /** The time limit for connecting to an upstream in milliseconds. */
  readonly connectTimeout: number;
  /** Shares the health of upstreams with the server's other threads. */
  readonly health: SharedHealth;
  /** Aborted when the pool is no longer used. */
  readonly signal: AbortSignal;
}

/** A connection to an upstream. Disposing it releases the slot; the caller closes the socket. */
export interface Lease extends Disposable {
  /** The connection. */
  readonly socket: ByteStream;
  /** The address of the upstream as text. */
  readonly name: string;
}

const tasks = new TaskScope("a health check", {
  consequence: "the next connection tries the upstream",
});

/** A pool of equivalent upstreams. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #upstreams: readonly Upstream[];
  readonly #order: UpstreamOrder;

  /** All upstreams are up, except those that another thread has found down. */
  constructor(options: PoolOptions) {
    const { addresses, health, signal } = this.#options = options;
    this.#upstreams = addresses.map((address) => new Upstream(address));
    this.#order = new UpstreamOrder(this.#upstreams, options.balance);
    for (const upstream of this.#upstreams) {
      health.follow(upstream.name, { signal, adopt: (failures) => upstream.adopt(failures) });
    }
  }

  /**
   * Connects to the next upstream, or to another one if that fails. Names are resolved each time.
   * @throws {Error} why each upstream could not be reached
   */
  async connect(signal: AbortSignal): Promise<Lease> {
    const faults: string[] = [];
    for (const upstream of this.#order.next()) {
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

  /**
   * Health checks: connects to every upstream at intervals and closes again, until the signal is
   * aborted.
   */
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
}
