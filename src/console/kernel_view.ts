/**
 * The kernel's socket tables, read at most once a second for all readers.
 *
 * @module
 */
import { socketsInUse } from "../trace/kernel/read_sockets.ts";
import { type Address, formatAddress } from "../endpoint/address.ts";

/** How long a reading is cached, in milliseconds. */
const CACHE_TIME = 900;

/** The last reading of the tables; empty on systems without them. */
export class KernelView {
  #states: ReadonlyMap<string, string> = new Map();
  #queues: ReadonlyMap<number, number> = new Map();
  #readAt = -Infinity;
  #looking: Promise<void> | undefined;

  /** Reads the tables again, unless the last reading is recent. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#readAt < CACHE_TIME) return;
    this.#looking ??= this.#look().finally(() => this.#looking = undefined);
    await this.#looking;
  }

  /**
   * The state of the local end of a connection at the last reading; `undefined` if it was not in
   * the tables.
   */
  stateOf({ local, peer }: { local: Address; peer: Address }): string | undefined {
    return this.#states.get(`${formatAddress(local)} ${formatAddress(peer)}`);
  }

  /** The length of each accept queue, by port. */
  async acceptQueues(): Promise<ReadonlyMap<number, number>> {
    await this.refresh();
    return this.#queues;
  }

  async #look(): Promise<void> {
    const states = new Map<string, string>();
    const queues = new Map<number, number>();
    for await (const { local, peer, state, localPort, receiveQueue } of socketsInUse()) {
      if (state === "LISTEN") queues.set(localPort, (queues.get(localPort) ?? 0) + receiveQueue);
      else states.set(`${local} ${peer}`, state);
    }
    this.#states = states;
    this.#queues = queues;
    this.#readAt = performance.now();
  }
}
