/**
 * The handshakes of a server's connections: captured if possible, otherwise inferred.
 *
 * @module
 */
import { type Ladder, ladderOf } from "../trace/report/ladder.ts";
import { inferLadder } from "../trace/report/inferred_ladder.ts";
import { LiveCapture } from "../trace/live/live_capture.ts";
import { formatAddress, isUdp, isUnix } from "../endpoint/address.ts";
import type { Connection } from "../connection/connection.ts";
import { explain } from "../transport/errors.ts";
import type { EventBus } from "../events/event_bus.ts";

/** Captures the handshakes of a server. Disposing it ends the capture. */
export class Ladders implements AsyncDisposable {
  readonly #eventBus: EventBus;
  #ports: readonly number[] = [];
  #starting: Promise<LiveCapture | undefined> = Promise.resolve(undefined);
  #watch: LiveCapture | undefined;

  /** Publishes on the event bus whether handshakes are captured. */
  constructor(eventBus: EventBus) {
    this.#eventBus = eventBus;
  }

  /** Captures the connections of these ports, instead of the ports before. */
  async capture(ports: readonly number[]): Promise<void> {
    const sorted = ports.toSorted((a, b) => a - b);
    if (sorted.join() === this.#ports.join()) return;
    this.#ports = sorted;
    const before = this.#starting;
    this.#starting = before.then((watch) => this.#restart(watch));
    await this.#starting;
  }

  /** The running capture, if any. */
  get watch(): LiveCapture | undefined {
    return this.#watch;
  }

  /** The ladder of a connection; `undefined` for a Unix socket and a UDP session. */
  of(connection: Pick<Connection, "peer" | "local" | "openedAt">): Ladder | undefined {
    const { peer, local, openedAt } = connection;
    if (isUnix(peer) || isUdp(local)) return undefined;
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

  async #restart(before: LiveCapture | undefined): Promise<LiveCapture | undefined> {
    this.#watch = undefined;
    try {
      await before?.[Symbol.asyncDispose]();
      if (this.#ports.length === 0) return undefined;
      const options = { interface: "any", hosts: [], ports: this.#ports };
      this.#watch = await LiveCapture.start(options, (reason) => this.#reportUnavailable(reason));
      this.#eventBus.publish({ event: "tracing", ports: this.#ports.length });
    } catch (reason) {
      this.#reportUnavailable(reason);
    }
    return this.#watch;
  }

  #reportUnavailable(reason: unknown): void {
    this.#eventBus.publish({ event: "trace-unavailable", reason: explain(reason) });
  }
}
