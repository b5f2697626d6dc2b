/**
 * One room on one bus.
 *
 * @module
 */
import type { Archive, Bus, Topic } from "./bus/bus.ts";
import type { ChatMessage } from "./message.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import type { Traffic } from "./status.ts";
import type { RetransmitBuffer } from "./retransmit_buffer.ts";
import { decode, decodeUttered, type Message } from "./wire.ts";

/** What a line carries. */
export interface RoomChannelOptions {
  /** What the room is called on the bus. */
  readonly topic: Topic;
  /** What is sent. */
  readonly told: RetransmitBuffer;
  /** Resolves when those who hear what comes can take more, or soon in any case. */
  pace(): Promise<void>;
  /** Where it is counted. */
  readonly traffic: Traffic;
}

/** Sends on one bus what a room tells, and notes how far that has come. */
export class RoomChannel implements Disposable {
  /** The bus. */
  readonly bus: Bus;
  /** Whether messages get through. */
  up = false;
  /** When it came up, by the clock of `performance.now()`, and the first fact that had waited for that. */
  resumed: { readonly at: number; readonly from: number } = { at: -Infinity, from: 1 };
  /** What went over the bus, for this room and others. */
  readonly traffic: Traffic;
  readonly #topic: Topic;
  readonly #told: RetransmitBuffer;
  readonly #pace: () => Promise<void>;
  readonly #subscriptions = new DisposableStack();
  #sent = 0;
  #archive: Archive | undefined;
  #archived = 0;

  /** A line to `topic`, for what is told. */
  constructor(bus: Bus, { topic, told, pace, traffic }: RoomChannelOptions) {
    this.bus = bus;
    this.#topic = topic;
    this.#told = told;
    this.#pace = pace;
    this.traffic = traffic;
  }

  /** Bytes that were told and have not been sent. */
  get queued(): number {
    return this.#told.sizeAfter(this.#sent);
  }

  /** Listens to the room, and to what is meant for `origin` alone. `hear` tells whether the message was one of ours. */
  listen(origin: string, hear: (message: Message) => boolean): void {
    const inbox = new ReceiveQueue((bytes) => {
      this.traffic.in++;
      const message = decode(bytes);
      if (!message || !hear(message)) this.traffic.ignored++;
    }, this.#pace);
    const put = (bytes: Uint8Array) => inbox.put(bytes);
    this.#subscriptions.use(this.bus.subscribe(this.#topic, put));
    this.#subscriptions.use(this.bus.subscribe([...this.#topic, origin], put));
  }

  /**
   * Notes that messages get through from now on.
   *
   * @returns how many facts had not been sent before and can't be any more
   */
  resume(now: number): number {
    this.up = true;
    const { first } = this.#told;
    this.resumed = { at: now, from: Math.max(this.#sent + 1, first) };
    const dropped = Math.max(0, first - 1 - this.#sent);
    this.traffic.dropped += dropped;
    return dropped;
  }

  /** Sends what has not been sent, and once more what is wanted again: all after fact `again`. */
  flush(origin: string, again = Infinity): void {
    if (!this.up) return;
    for (const { message, last } of this.#told.after(Math.min(again, this.#sent), origin)) {
      if (!this.send(message)) break;
      this.#sent = Math.max(this.#sent, last);
    }
    for (const message of this.#archive ? this.#told.uttered(this.#archived) : []) {
      this.#archive?.add(this.#topic, message);
    }
    if (this.#archive) this.#archived = this.#told.seq;
  }

  /** Sends a message to everyone in the room, or to one server there. Where that fails, `up` will come again. */
  send(message: Uint8Array, to?: string): boolean {
    this.up &&= this.bus.publish(to ? [...this.#topic, to] : this.#topic, message);
    if (this.up) this.traffic.out++;
    return this.up;
  }

  /** What was said lately, where the bus remembers that; from now on it remembers what is said here, too. */
  async recall(): Promise<ChatMessage[]> {
    this.#archive = await this.bus.archive?.();
    const kept = await this.#archive?.recall(this.#topic) ?? [];
    return kept.map(decodeUttered).filter((fact) => fact !== undefined);
  }

  /** Leaves the topic. */
  [Symbol.dispose](): void {
    this.#subscriptions[Symbol.dispose]();
  }
}
