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
import { decode, decodeChatMessage, type Message } from "./wire.ts";

/** What a channel carries. */
export interface RoomChannelOptions {
  /** What the room is called on the bus. */
  readonly topic: Topic;
  /** What is sent. */
  readonly buffer: RetransmitBuffer;
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
  readonly #buffer: RetransmitBuffer;
  readonly #pace: () => Promise<void>;
  readonly #subscriptions = new DisposableStack();
  #lastSent = 0;
  #archive: Archive | undefined;
  #lastArchived = 0;

  /** A channel to `topic`, for what is in the buffer. */
  constructor(bus: Bus, { topic, buffer: told, pace, traffic }: RoomChannelOptions) {
    this.bus = bus;
    this.#topic = topic;
    this.#buffer = told;
    this.#pace = pace;
    this.traffic = traffic;
  }

  /** Bytes that were told and have not been sent. */
  get queued(): number {
    return this.#buffer.sizeAfter(this.#lastSent);
  }

  /** Listens to the room, and to what is for this node alone. `receive` tells whether the message was one of ours. */
  subscribe(nodeId: string, receive: (message: Message) => boolean): void {
    const queue = new ReceiveQueue((bytes) => {
      this.traffic.in++;
      const message = decode(bytes);
      if (!message || !receive(message)) this.traffic.ignored++;
    }, this.#pace);
    this.#subscriptions.use(queue);
    const put = (bytes: Uint8Array) => queue.put(bytes);
    this.#subscriptions.use(this.bus.subscribe(this.#topic, put));
    this.#subscriptions.use(this.bus.subscribe([...this.#topic, nodeId], put));
  }

  /**
   * Notes that messages get through from now on.
   *
   * @returns how many facts had not been sent before and can't be any more
   */
  resume(now: number): number {
    this.up = true;
    const { oldestRetained: first } = this.#buffer;
    this.resumed = { at: now, from: Math.max(this.#lastSent + 1, first) };
    const dropped = Math.max(0, first - 1 - this.#lastSent);
    this.traffic.dropped += dropped;
    return dropped;
  }

  /** Sends what has not been sent, and once more what is wanted again: all after fact `resendAfter`. */
  flush(nodeId: string, resendAfter = Infinity): void {
    if (!this.up) return;
    const limit = this.bus.messageLimit;
    const start = Math.min(resendAfter, this.#lastSent);
    for (const { message, last, cut } of this.#buffer.after(start, { nodeId, limit })) {
      if (!this.send(message)) break;
      if (last > this.#lastSent) this.traffic.dropped += cut;
      this.#lastSent = Math.max(this.#lastSent, last);
    }
    this.#archiveMessages(limit);
  }

  /** Sends a message to everyone in the room, or to one node there. Where that fails, `up` will come again. */
  send(message: Uint8Array, to?: string): boolean {
    if (message.length > this.bus.messageLimit) {
      this.traffic.dropped++;
      return this.up;
    }
    this.up &&= this.bus.publish(to ? [...this.#topic, to] : this.#topic, message);
    if (this.up) this.traffic.out++;
    return this.up;
  }

  #archiveMessages(limit: number): void {
    if (!this.#archive) return;
    for (const message of this.#buffer.messagesAfter(this.#lastArchived, { limit })) {
      if (!this.#archive.add(this.#topic, message)) this.traffic.dropped++;
    }
    this.#lastArchived = this.#buffer.lastSeq;
  }

  /** What was said lately, where the bus remembers that; from now on it remembers what is said here, too. */
  async recall(): Promise<ChatMessage[]> {
    this.#archive = await this.bus.archive?.();
    const kept = await this.#archive?.recall(this.#topic) ?? [];
    return kept.map(decodeChatMessage).filter((fact) => fact !== undefined);
  }

  /** Leaves the topic. */
  [Symbol.dispose](): void {
    this.#subscriptions[Symbol.dispose]();
  }
}
