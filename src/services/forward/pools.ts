/**
 * The pools of a forwarder: one for all clients, or one for each route.
 *
 * @module
 */
import type { Connection } from "../../connection/connection.ts";
import { formatRemote, type Remote } from "../../endpoint/remote.ts";
import { type ForwardOptions, groupRoutes } from "./options.ts";
import { type CheckOptions, Pool, type PoolOptions } from "./pool.ts";
import type { Router } from "./router.ts";

/** Chooses the pool of each client. */
export class Pools {
  readonly #options: ForwardOptions;
  readonly #common: Omit<PoolOptions, "remotes">;
  readonly #pools = new Map<string, Pool>();
  readonly #only: Pool | undefined;
  #router: Promise<Router<Pool>> | undefined;

  /** `common` is the same for all pools. */
  constructor(options: ForwardOptions, common: Omit<PoolOptions, "remotes">) {
    this.#options = options;
    this.#common = common;
    if (options.to.length > 0) this.#only = this.#pool(options.to);
    else this.#routes();
  }

  /** The pool of a client; `undefined` if it has none, and is refused. */
  of(client: Connection): Pool | Promise<Pool | undefined> {
    return this.#only ?? this.#route(client);
  }

  /** Checks all upstreams at intervals, until the signal is aborted. */
  check(options: CheckOptions): void {
    for (const pool of this.#pools.values()) pool.check(options);
  }

  async #route(client: Connection): Promise<Pool | undefined> {
    const router = await (this.#router ??= this.#openRouter());
    return await router.route(client);
  }

  async #openRouter(): Promise<Router<Pool>> {
    const { Router } = await import("./router.ts");
    return new Router({ ...this.#routes(), timeout: this.#options["inspect-timeout"] });
  }

  #routes() {
    const { sni, "sni-default": otherNames, route } = this.#options;
    const poolsOf = (routes: typeof sni) =>
      new Map([...groupRoutes(routes)].map(([of, group]) => [of, this.#pool(group)]));
    return {
      byName: poolsOf(sni),
      otherNames: otherNames && this.#pool([otherNames]),
      byProtocol: poolsOf(route),
    };
  }

  /** The pool of these upstreams; routes to the same ones share it, and their health. */
  #pool(remotes: readonly Remote[]): Pool {
    const key = remotes.map(formatRemote).join(",");
    const pool = this.#pools.get(key) ?? new Pool({ ...this.#common, remotes });
    this.#pools.set(key, pool);
    return pool;
  }
}
