/**
 * What the kernel says of this machine's sockets, asked for at most once a second however many look.
 *
 * @module
 */
import { socketsInUse } from "../trace/kernel/read_sockets.ts";
import { type Address, formatAddress } from "../endpoint/address.ts";

/** How long an answer of the kernel's is good for, in milliseconds. */
const FRESH = 900;

/** The last look at the kernel's tables. Where there are none, it knows nothing. */
export class KernelView {
  #states: ReadonlyMap<string, string> = new Map();
  #queues: ReadonlyMap<number, number> = new Map();
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  /** Looks again, unless the last look is fresh. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#lookedAt < FRESH) return;
    this.#looking ??= this.#look().finally(() => this.#looking = undefined);
    await this.#looking;
  }

  /** The state of our end of a connection when it was looked at; `undefined` where it was not there. */
  stateOf({ local, peer }: { local: Address; peer: Address }): string | undefined {
    return this.#states.get(`${formatAddress(local)} ${formatAddress(peer)}`);
  }

  /** How many clients wait to be accepted, by port. */
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
    this.#lookedAt = performance.now();
  }
}
