/**
 * Where a crew listens: every outlet, with what its workers have in common there.
 *
 * @module
 */
import { planChange } from "../config/plan.ts";
import type { OutletConfig } from "../config/server_config.ts";
import { type Address, addressOf, formatAddress, isUnix } from "../socket/address.ts";
import { listenOn } from "../socket/listen.ts";
import { type Place, release, type SharedDoor, shareDoor } from "./ledger.ts";
import type { SharedDoors } from "./messages.ts";
import { type RemoteConnection, RemoteOutlet } from "./remote.ts";

/** An outlet of a crew. */
export interface Site {
  /** What was asked for. */
  readonly asked: OutletConfig;
  /** What workers are asked for: the same, at the real port. */
  readonly pinned: OutletConfig;
  /** The outlet, as the rest of the process sees it. */
  readonly outlet: RemoteOutlet;
  /** What its workers count together. */
  readonly door: SharedDoor;
}

/** Outlets as workers are asked for them. Disposing it frees the ports that were held for them. */
export interface Pinned extends Disposable {
  /** The outlets. */
  readonly outlets: readonly OutletConfig[];
  /** Says that workers have them now: those that are not among them begin to close. */
  keep(): void;
}

/** The outlets of a crew. */
export class Sites {
  readonly #workers: number;
  readonly #draining = new Set<RemoteOutlet>();
  #sites: readonly Site[] = [];
  /** Those that workers are being asked to open. */
  #coming: readonly Site[] = [];

  /** None yet, for so many workers. */
  constructor(workers: number) {
    this.#workers = workers;
  }

  /** The open outlets. */
  get outlets(): RemoteOutlet[] {
    return this.#sites.map(({ outlet }) => outlet);
  }

  /** Those that have begun to close. */
  get draining(): Iterable<RemoteOutlet> {
    return this.#draining;
  }

  /** What workers are asked for. */
  get pinned(): OutletConfig[] {
    return this.#sites.map(({ pinned }) => pinned);
  }

  /** What workers count together, by address. */
  get doors(): SharedDoors {
    const sites = [...this.#sites, ...this.#coming];
    return new Map(sites.map(({ pinned, door }) => [formatAddress(pinned.listen), door]));
  }

  /**
   * Finds the real port of every outlet that is new, and makes sure that no other program listens there: to the
   * kernel, a port that workers share is one that any program of the same user may share.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  pin(asked: readonly OutletConfig[]): Pinned {
    using held = new DisposableStack();
    const there = new Map(this.#sites.map(({ outlet, asked }) => [outlet, asked]));
    const { kept, removed, fresh, moved } = planChange(there, asked);
    const sites = [
      ...kept.map(({ outlet, config }) => {
        const site = this.#sites.find((site) => site.outlet === outlet)!;
        return { ...site, asked: config, pinned: { ...config, listen: site.pinned.listen } };
      }),
      ...fresh.map((config) => this.#reserve(config, { held, free: true })),
      ...moved.map((config) => this.#reserve(config, { held, free: false })),
    ];
    this.#coming = sites;
    const holding = held.move();
    return {
      outlets: sites.map(({ pinned }) => pinned),
      keep: () => {
        this.#sites = sites;
        for (const outlet of removed) this.#close(outlet);
      },
      [Symbol.dispose]: () => {
        this.#coming = [];
        holding.dispose();
      },
    };
  }

  /** Forgets an outlet that begins to close; what was asked for. */
  close(outlet: RemoteOutlet): OutletConfig | undefined {
    const site = this.#sites.find((site) => site.outlet === outlet);
    this.#sites = this.#sites.filter((other) => other !== site);
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
    const sites = [...this.#sites, ...this.#coming].map(({ outlet }) => outlet);
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
  release(place: Place): void {
    for (const { door } of this.#sites) release(door, place);
  }

  #close(outlet: RemoteOutlet): void {
    if (outlet.isServed) this.#draining.add(outlet);
    outlet.stop();
  }

  #reserve(
    config: OutletConfig,
    { held, free }: { held: DisposableStack; free: boolean },
  ): Site {
    const door = shareDoor(this.#workers);
    const { listen, service } = config;
    if (isUnix(listen)) {
      return { asked: config, pinned: config, outlet: new RemoteOutlet(service, listen), door };
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
      pinned: { ...config, listen: { ...listen, port } },
      outlet: new RemoteOutlet(service, address),
      door,
    };
  }
}
