/**
 * What a changed config asks for, beside what is there.
 *
 * @module
 */
import { type Address, formatAddress, isUnix } from "../endpoint/address.ts";
import type { OutletConfig } from "../config/server_config.ts";

/** An outlet that is there, at its real address. */
export interface Listening {
  /** Where it listens. */
  readonly address: Address;
}

/** What becomes of every outlet. */
export interface Plan<T extends Listening> {
  /** Outlets that stay, with their sockets and connections, and what is asked of them now. */
  readonly unchanged: readonly { readonly outlet: T; readonly config: OutletConfig }[];
  /** Outlets that are not asked for any more. */
  readonly removed: readonly T[];
  /** Outlets to open. */
  readonly added: readonly OutletConfig[];
  /** Outlets to open where one of the removed still listens: after it has gone. */
  readonly rebound: readonly OutletConfig[];
}

/** Compares what is there with what is asked for. */
export function planChange<T extends Listening>(
  there: ReadonlyMap<T, OutletConfig>,
  asked: readonly OutletConfig[],
): Plan<T> {
  const unclaimed = new Map(there);
  const kept: { outlet: T; config: OutletConfig }[] = [];
  const added: OutletConfig[] = [];
  for (const config of asked) {
    const [outlet] = [...unclaimed].find(([, now]) => isSame(now, config)) ?? [];
    if (outlet === undefined) {
      added.push(config);
    } else {
      unclaimed.delete(outlet);
      kept.push({ outlet, config });
    }
  }
  const leaving = [...unclaimed.keys()];
  const isMoved = ({ listen }: OutletConfig) =>
    leaving.some(({ address }) => collide(address, listen));
  return {
    unchanged: kept,
    removed: leaving,
    added: added.filter((config) => !isMoved(config)),
    rebound: added.filter(isMoved),
  };
}

/** Whether a socket that was bound for the one serves for the other: all else can change while it listens. */
function isSame(one: OutletConfig, other: OutletConfig): boolean {
  return one.service === other.service &&
    formatAddress(one.listen) === formatAddress(other.listen) &&
    one.outletOptions.backlog === other.outletOptions.backlog &&
    one.outletOptions.mode === other.outletOptions.mode;
}

/** Whether both want the same port, on whatever host, or the same path. */
function collide(one: Address, other: Address): boolean {
  if (isUnix(one) || isUnix(other)) return formatAddress(one) === formatAddress(other);
  return one.port === other.port && one.port !== 0;
}
