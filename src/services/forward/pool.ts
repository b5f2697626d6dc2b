/**
 * A pool of upstreams: load balancing and failover.
 *
 * @module
 */
import { TaskScope } from "../../scheduling/task_scope.ts";
import { delay } from "@std/async/delay";
import { formatDuration } from "../../options/quantity.ts";
import { type Address, isUnix } from "../../endpoint/address.ts";
import type { Remote } from "../../endpoint/remote.ts";
import type { ByteStream } from "../../transport/stream.ts";
import type { KeepAliveTimes } from "../../transport/keep_alive_options.ts";
import { dial, type DialledEndpoint, type DialOptions } from "../../transport/dial.ts";
import { isShortage } from "../../transport/errors.ts";
import { hostField } from "../../transport/websocket/host_field.ts";
import type { TlsClientOptions, TlsSession } from "../../transport/tls/connect.ts";
import type { SharedHealth } from "../shared_health.ts";
import { type Balance, UpstreamOrder } from "./upstream_order.ts";
import { Upstream } from "./upstream.ts";

/** Options of a {@linkcode Pool}. */
export interface PoolOptions {
  /** The upstreams. */
  readonly remotes: readonly Remote[];
  /** The TLS options for an upstream with TLS. */
  tlsFor(remote: Remote): Promise<TlsClientOptions>;
  /** The address of this machine that connections come from. */
  readonly source?: string | undefined;
  /** When keep-alive probes are sent; the system's times by default. */
  readonly keepAliveTimes?: KeepAliveTimes | undefined;
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
  /** The upstream as text. */
  readonly name: string;
  /** The TLS session, where TLS is spoken over it. */
  readonly session: TlsSession | undefined;
  /** What the upstream sent before TLS and does not repeat (STARTTLS). */
  readonly greeting: Uint8Array | undefined;
}

/** How an upstream is connected to: who asks, and what it is sent first. */
export interface ConnectOptions extends Pick<DialOptions, "preface"> {
  /** Aborted when the connection is no longer wanted. */
  readonly signal: AbortSignal;
  /** The client. */
  readonly client?: Address | undefined;
}

/** How an upstream is checked. */
export interface CheckOptions extends ConnectOptions {
  /** The interval in milliseconds. */
  readonly every: number;
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
    const { remotes, health, signal } = this.#options = options;
    this.#upstreams = remotes.map((remote) => new Upstream(remote));
    this.#order = new UpstreamOrder(this.#upstreams, options.balance);
    for (const upstream of this.#upstreams) {
      health.follow(upstream.name, { signal, adopt: (failures) => upstream.adopt(failures) });
    }
  }

  /**
   * Connects to the next upstream, or to another one if that fails. Names are resolved each time.
   * @throws {Error} why each upstream could not be reached
   */
  async connect({ signal, preface, client }: ConnectOptions): Promise<Lease> {
    const faults: string[] = [];
    for (const upstream of this.#order.next(client)) {
      upstream.live++;
      const timeout = this.#options.connectTimeout;
      const outcome = await this.#try(upstream, { signal, timeout, preface });
      if (outcome instanceof Error) {
        upstream.live--;
        if (signal.aborted) throw outcome;
        faults.push(outcome.message);
      } else {
        return {
          ...outcome,
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
  check(options: CheckOptions): void {
    for (const upstream of this.#upstreams) tasks.run(this.#checkOne(upstream, options));
  }

  async #checkOne(
    upstream: Upstream,
    { every, signal, preface }: CheckOptions,
  ): Promise<void> {
    const timeout = Math.min(every, this.#options.connectTimeout);
    while (!signal.aborted) {
      const outcome = await this.#try(upstream, { signal, timeout, preface });
      if (!(outcome instanceof Error)) outcome.socket.close();
      await delay(every, { signal }).catch(() => {});
    }
  }

  async #try(
    upstream: Upstream,
    options: DialOptions & { readonly signal: AbortSignal },
  ): Promise<Pick<Lease, "socket" | "session" | "greeting"> | Error> {
    const { signal } = options;
    const attempt = upstream.attempt();
    let session: TlsSession | undefined;
    let greeting: Uint8Array | undefined;
    const onStep: DialOptions["onStep"] = (step) => {
      if (step.step === "secured") session = step.session;
      if (step.step === "starttls") greeting = step.greeting;
    };
    try {
      const endpoint = await this.#endpointOf(upstream);
      const socket = await dial(endpoint, upstream.remote.tls ? { ...options, onStep } : options);
      if (attempt.succeeded()) this.#report(upstream, `${upstream.name} is up again`);
      return { socket, session, greeting };
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

  async #endpointOf({ remote }: Upstream): Promise<DialledEndpoint> {
    const { address, tls, ws: target } = remote;
    const { source, tlsFor, keepAliveTimes } = this.#options;
    const times = isUnix(address) || !keepAliveTimes ? {} : { keepAliveTimes };
    if (!tls && source === undefined && target === undefined) return { address, ...times };
    return {
      address,
      ...times,
      from: source === undefined || isUnix(address) ? undefined : { hostname: source },
      layers: tls || target !== undefined
        ? {
          tls: tls ? await tlsFor(remote) : undefined,
          ws: target === undefined ? undefined : { host: hostField(address, remote), target },
        }
        : undefined,
    };
  }

  #report({ name, failures }: Upstream, text: string): void {
    this.#options.health.report({ name, failures, text });
  }
}
