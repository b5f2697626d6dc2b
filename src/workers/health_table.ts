/**
 * The health of upstreams in the supervisor, from the reports of workers. The first report of a
 * change counts.
 *
 * @module
 */
import { upstreamsOf } from "../config/addresses.ts";
import { formatRemote } from "../endpoint/remote.ts";
import type { DesiredState } from "../server/desired_state.ts";
import type { HealthReport, KnownHealth } from "./messages.ts";

/** Consecutive failures, by outlet and upstream. */
export class HealthTable {
  readonly #failures = new Map<number, Map<string, number>>();

  /** The whole table, for a new worker. */
  get all(): KnownHealth[] {
    return [...this.#failures].flatMap(([outlet, upstreams]) =>
      Array.from(upstreams, ([name, failures]) => ({ outlet, name, failures }))
    );
  }

  /** The health of one upstream. */
  of({ outlet, name }: Pick<KnownHealth, "outlet" | "name">): KnownHealth {
    return { outlet, name, failures: this.#failures.get(outlet)?.get(name) ?? 0 };
  }

  /**
   * Accepts a report that follows from the known state: one failure more, or recovery. If two
   * workers report the same change, only the first report is accepted.
   */
  accept({ outlet, name, failures }: HealthReport): boolean {
    const { failures: known } = this.of({ outlet, name });
    if (failures === known || (failures !== 0 && failures !== known + 1)) return false;
    const upstreams = this.#failures.get(outlet) ?? new Map<string, number>();
    this.#failures.set(outlet, upstreams.set(name, failures));
    return true;
  }

  /** Removes outlets and upstreams that are not in this state. */
  keep({ outlets }: DesiredState): void {
    const names = new Map(outlets.map(({ id, config }) => [
      id,
      new Set(upstreamsOf(config).map(formatRemote)),
    ]));
    for (const [outlet, upstreams] of this.#failures) {
      for (const name of upstreams.keys()) {
        if (!names.get(outlet)?.has(name)) upstreams.delete(name);
      }
      if (upstreams.size === 0) this.#failures.delete(outlet);
    }
  }
}
