/**
 * Where a supervisor listens: every outlet, with what its workers have in common there.
 *
 * @module
 */
import { planChange } from "../server/plan.ts";
import type { OutletConfig } from "../config/server_config.ts";
import { type Address, addressOf, formatAddress, isUnix } from "../endpoint/address.ts";
import { listenOn } from "../transport/listen.ts";
import { reclaim, type SharedLimits, sharedLimits, type WorkerSlot } from "./shared_counters.ts";
import type { SharedLimitsByAddress } from "./messages.ts";
import { type RemoteConnection, RemoteOutlet } from "./remote.ts";

/** An outlet of a supervisor. */
export interface OutletEntry {
  /** What was asked for. */
  readonly asked: OutletConfig;
  /** What workers are asked for: the same, at the real port. */
  readonly resolved: OutletConfig;
  /** The outlet, as the rest of the process sees it. */
  readonly outlet: RemoteOutlet;
  /** What its workers count together. */
  readonly limits: SharedLimits;
}

/** Outlets as workers are asked for them. Disposing it frees the ports that were held for them. */
export interface PreparedOutlets extends Disposable {
  /** The outlets. */
  readonly outlets: readonly OutletConfig[];
  /** Says that workers have them now: those that are not among them begin to close. */
  commit(): void;
}

/** The outlets of a supervisor. */
export class OutletRegistry {
  readonly #workers: number;
  readonly #draining = new Set<RemoteOutlet>();
  #entries: readonly OutletEntry[] = [];
  /** Those that workers are being asked to open. */
  #pending: readonly OutletEntry[] = [];

  /** None yet, for so many workers. */
  constructor(workers: number) {
    this.#workers = workers;
  }

  /** The open outlets. */
  get outlets(): RemoteOutlet[] {
    return this.#entries.map(({ outlet }) => outlet);
  }

  /** Those that have begun to close. */
  get draining(): Iterable<RemoteOutlet> {
    return this.#draining;
  }

  /** What workers are asked for. */
  get resolved(): OutletConfig[] {
    return this.#entries.map(({ resolved }) => resolved);
  }

  /** What workers count together, by address. */
  get limits(): SharedLimitsByAddress {
    const sites = [...this.#entries, ...this.#pending];
    return new Map(
      sites.map(({ resolved, limits }) => [formatAddress(resolved.listen), limits]),
    );
  }

  /**
   * Finds the real port of every outlet that is new, and makes sure that no other program listens there: to the
   * kernel, a port that workers share is one that any program of the same user may share.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  prepare(asked: readonly OutletConfig[]): PreparedOutlets {
    using held = new DisposableStack();
    const there = new Map(this.#entries.map(({ outlet, asked }) => [outlet, asked]));
    const { unchanged: kept, removed, added: fresh, rebound: moved } = planChange(there, asked);
    const sites = [
      ...kept.map(({ outlet, config }) => {
        const site = this.#entries.find((site) => site.outlet === outlet)!;
        return { ...site, asked: config, resolved: { ...config, listen: site.resolved.listen } };
      }),
      ...fresh.map((config) => this.#probePort(config, { held, free: true })),
      ...moved.map((config) => this.#probePort(config, { held, free: false })),
    ];
    this.#pending = sites;
    const holding = held.move();
    return {
      outlets: sites.map(({ resolved }) => resolved),
      commit: () => {
        this.#entries = sites;
        for (const outlet of removed) this.#close(outlet);
      },
      [Symbol.dispose]: () => {
        this.#pending = [];
        holding.dispose();
      },
    };
  }

  /** Forgets an outlet that begins to close; what was asked for. */
  close(outlet: RemoteOutlet): OutletConfig | undefined {
    const site = this.#entries.find((site) => site.outlet === outlet);
    this.#entries = this.#entries.filter((other) => other !== site);
    this.#close(outlet);
    return site?.asked;
  }

  /** Forgets an outlet that has closed. */
  closed(outlet: RemoteOutlet): void {
    this.#draining.delete(outlet);
  }

  /** The outlet that listens there, or did. */
  at(address: Address): RemoteOutlet | undefined {
    const key = formatAddress(address);
    const sites = [...this.#entries, ...this.#pending].map(({ outlet }) => outlet);
    return [...sites, ...this.#draining].find((outlet) => formatAddress(outlet.address) === key);
  }

  /** Every outlet that has workers. */
  *all(): Generator<RemoteOutlet> {
    yield* new Set([...this.outlets, ...this.#draining]);
  }

  /** The connection of this number. */
  find(id: number): RemoteConnection | undefined {
    for (const outlet of this.all()) {
      const connection = outlet.find(id);
      if (connection) return connection;
    }
  }

  /** Gives back what a dead worker had counted in. */
  reclaim(place: WorkerSlot): void {
    for (const { limits: door } of this.#entries) reclaim(door, place);
  }

  #close(outlet: RemoteOutlet): void {
    if (outlet.isServed) this.#draining.add(outlet);
    outlet.stop();
  }

  #probePort(
    config: OutletConfig,
    { held, free }: { held: DisposableStack; free: boolean },
  ): OutletEntry {
    const door = sharedLimits(this.#workers);
    const { listen, service } = config;
    if (isUnix(listen)) {
      return {
        asked: config,
        resolved: config,
        outlet: new RemoteOutlet(service, listen),
        limits: door,
      };
    }
    const anyPort = listen.port === 0;
    const listener = listenOn(listen, { backlog: 1, shared: anyPort || !free });
    const address = addressOf(listener.addr);
    // A port that the kernel has chosen is held until workers listen there; nobody else knows it yet.
    if (anyPort) held.defer(() => listener.close());
    else listener.close();
    const port = isUnix(address) ? 0 : address.port;
    return {
      asked: config,
      resolved: { ...config, listen: { ...listen, port } },
      outlet: new RemoteOutlet(service, address),
      limits: door,
    };
  }
}
