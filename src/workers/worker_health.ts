/**
 * The health of upstreams in one worker. Changes are reported to the supervisor, which sends them
 * to all workers.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import type { HealthFollowOptions, SharedHealth } from "../services/shared_health.ts";
import type { HealthReport, KnownHealth } from "./messages.ts";

const tasks = new TaskScope("no longer following an upstream's health", {
  consequence: "it is followed until the worker ends",
});

/** The health of upstreams in this worker. */
export class WorkerHealth {
  readonly #post: (report: HealthReport) => void;
  readonly #known = new Map<string, KnownHealth>();
  readonly #followers = new Map<string, Set<HealthFollowOptions>>();

  /** `post` sends a report to the supervisor. */
  constructor(post: (report: HealthReport) => void) {
    this.#post = post;
  }

  /** The health of an outlet's upstreams. */
  of(outlet: number): SharedHealth {
    return {
      report: (finding) => this.#post({ outlet, ...finding }),
      follow: (name, options) => this.#follow(keyOf({ outlet, name }), options),
    };
  }

  /** Takes over changes that the supervisor has accepted. */
  adopt(all: readonly KnownHealth[]): void {
    for (const health of all) {
      const key = keyOf(health);
      this.#known.set(key, health);
      for (const { adopt } of this.#followers.get(key) ?? []) adopt(health.failures);
    }
  }

  /** Removes all outlets but these. */
  keep(outlets: ReadonlySet<number>): void {
    for (const [key, { outlet }] of this.#known) if (!outlets.has(outlet)) this.#known.delete(key);
  }

  #follow(key: string, options: HealthFollowOptions): void {
    const followers = this.#followers.get(key) ?? new Set();
    this.#followers.set(key, followers.add(options));
    options.signal.addEventListener(
      "abort",
      tasks.guard(() => {
        followers.delete(options);
        if (followers.size === 0) this.#followers.delete(key);
      }),
      { once: true },
    );
    const known = this.#known.get(key);
    if (known) options.adopt(known.failures);
  }
}

function keyOf({ outlet, name }: Pick<KnownHealth, "outlet" | "name">): string {
  return `${outlet} ${name}`;
}
