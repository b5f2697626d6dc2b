/**
 * A ladder for each connection: what its handshake was, as captured, or as it must have been.
 *
 * @module
 */
import { type Ladder, ladderOf } from "../handshake/ladder.ts";
import { inferLadder } from "../handshake/inferred_ladder.ts";
import { HandshakeWatch } from "../handshake/watch.ts";
import { formatAddress, isUnix } from "../socket/address.ts";
import type { Connection } from "../socket/connection.ts";
import { explain } from "../socket/faults.ts";
import type { Journal } from "./journal.ts";

/** One capture for a whole server. Disposing it ends the capture. */
export class Ladders implements AsyncDisposable {
  readonly #journal: Journal;
  #ports: readonly number[] = [];
  #starting: Promise<HandshakeWatch | undefined> = Promise.resolve(undefined);
  #watch: HandshakeWatch | undefined;

  /** Ladders that tell the journal whether they are captured. */
  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Captures the connections of these ports from now on, instead of those before. */
  async capture(ports: readonly number[]): Promise<void> {
    const sorted = ports.toSorted((a, b) => a - b);
    if (sorted.join() === this.#ports.join()) return;
    this.#ports = sorted;
    const before = this.#starting;
    this.#starting = before.then((watch) => this.#restart(watch));
    await this.#starting;
  }

  /** The capture, where there is one. */
  get watch(): HandshakeWatch | undefined {
    return this.#watch;
  }

  /** The ladder of a connection; a Unix socket's has none. */
  of(connection: Pick<Connection, "peer" | "local" | "openedAt">): Ladder | undefined {
    const { peer, local, openedAt } = connection;
    if (isUnix(peer)) return undefined;
    const client = formatAddress(peer);
    const server = formatAddress(local);
    const flow = this.#watch?.find(client, server);
    if (flow !== undefined) return ladderOf(flow);
    const startedAt = new Date(performance.timeOrigin + openedAt);
    return inferLadder({ client, server, startedAt, outcome: "established" });
  }

  /** Ends the capture. */
  async [Symbol.asyncDispose](): Promise<void> {
    const watch = await this.#starting;
    await watch?.[Symbol.asyncDispose]();
  }

  async #restart(before: HandshakeWatch | undefined): Promise<HandshakeWatch | undefined> {
    await before?.[Symbol.asyncDispose]();
    this.#watch = undefined;
    if (this.#ports.length === 0) return undefined;
    try {
      const options = { interface: "any", hosts: [], ports: this.#ports };
      this.#watch = await HandshakeWatch.start(options, (reason) => this.#lose(reason));
      this.#journal.publish({ event: "tracing", ports: this.#ports.length });
    } catch (reason) {
      this.#lose(reason);
    }
    return this.#watch;
  }

  #lose(reason: unknown): void {
    this.#journal.publish({ event: "untraced", reason: explain(reason) });
  }
}
