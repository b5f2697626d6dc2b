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

/** Options of {@linkcode RoomChannel}. */
export interface RoomChannelOptions {
  /** The topic of the room. */
  readonly topic: Topic;
  /** The events to send. */
  readonly buffer: RetransmitBuffer;
  /** Resolves when more can be received, or after the longest wait. */
  pace(): Promise<void>;
  /** The message counts of the bus. */
  readonly traffic: Traffic;
}

/** Sends the events of a room on one bus, and tracks which were sent. */
export class RoomChannel implements Disposable {
  /** The bus. */
  readonly bus: Bus;
  /** Whether the bus is connected and takes messages. */
  up = false;
  /** When it came up, by `performance.now()`, and the first event that was queued then. */
  resumed: { readonly at: number; readonly from: number } = { at: -Infinity, from: 1 };
  /** The message counts of the bus, for all rooms. */
  readonly traffic: Traffic;
  readonly #topic: Topic;
  readonly #buffer: RetransmitBuffer;
  readonly #pace: () => Promise<void>;
  readonly #subscriptions = new DisposableStack();
  #lastSent = 0;
  #archive: Archive | undefined;
  #lastArchived = 0;

  /** A channel for the events in the buffer. */
  constructor(bus: Bus, { topic, buffer, pace, traffic }: RoomChannelOptions) {
    this.bus = bus;
    this.#topic = topic;
    this.#buffer = buffer;
    this.#pace = pace;
    this.traffic = traffic;
  }

  /** Bytes of unsent events. */
  get queued(): number {
    return this.#buffer.sizeAfter(this.#lastSent);
  }

  /**
   * Subscribes to the topics of the room and this node; `receive` returns whether it used the
   * message.
   */
  subscribe(nodeId: string, receive: (message: Message) => boolean): void {
    const queue = new ReceiveQueue((bytes) => {
      this.traffic.in++;
      const message = decode(bytes);
      if (!message || !receive(message)) this.traffic.ignored++;
    }, this.#pace);
    this.#subscriptions.use(queue);
    const put = (bytes: Uint8Array) => queue.receive(bytes);
    this.#subscriptions.use(this.bus.subscribe(this.#topic, put));
    this.#subscriptions.use(this.bus.subscribe([...this.#topic, nodeId], put));
  }

  /**
   * Called when the bus is connected.
   *
   * @returns how many unsent events were dropped from the buffer
   */
  resume(now: number): number {
    this.up = true;
    const { oldestRetained: first } = this.#buffer;
    this.resumed = { at: now, from: Math.max(this.#lastSent + 1, first) };
    const dropped = Math.max(0, first - 1 - this.#lastSent);
    this.traffic.dropped += dropped;
    return dropped;
  }

  /** Sends all unsent events, and retransmits those after event `resendAfter`. */
  flush(nodeId: string, resendAfter = Infinity): void {
    if (!this.up) return;
    const limit = this.bus.messageLimit;
    const start = Math.min(resendAfter, this.#lastSent);
    for (const { message, last, truncated } of this.#buffer.after(start, { nodeId, limit })) {
      if (!this.send(message)) break;
      if (last > this.#lastSent) this.traffic.dropped += truncated;
      this.#lastSent = Math.max(this.#lastSent, last);
    }
    this.#archiveMessages(limit);
  }

  /** Sends a message to all nodes or one. If it fails, the channel is down until resumed. */
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

  /** Returns the archived messages, if any, and archives this room from now on. */
  async recall(): Promise<ChatMessage[]> {
    this.#archive = await this.bus.archive?.();
    const archived = await this.#archive?.recall(this.#topic) ?? [];
    return archived.map(decodeChatMessage).filter((event) => event !== undefined);
  }

  /** Unsubscribes. */
  [Symbol.dispose](): void {
    this.#subscriptions[Symbol.dispose]();
  }
}
