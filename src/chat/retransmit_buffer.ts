/**
 * The latest events that this server published in a room, kept for retransmission (RFC 5740).
 *
 * @module
 */
import { formatSize } from "../options/quantity.ts";
import { type ChatMessage, isChatMessage, type RoomEvent } from "./message.ts";
import { encodeEvents, ENVELOPE } from "./wire.ts";

/** The capacity in bytes. While the bus is down, the buffer is the send queue. */
export const CAPACITY = 1024 * 1024;

/** The most bytes of events per message, if the bus takes so many. */
const BATCH = 32 * 1024;

const encoder = new TextEncoder();

/** An encoded message with events. */
export interface EncodedBatch {
  /** The payload. */
  readonly message: Uint8Array;
  /** The sequence number of its last event. */
  readonly last: number;
  /** How many of its events were too long for the bus and were replaced by a note. */
  readonly truncated: number;
}

/** A stored event. */
interface Entry {
  readonly json: string;
  readonly size: number;
  /** The bytes of all events up to and including this one. */
  readonly end: number;
  readonly isChatMessage: boolean;
}

/** A bounded buffer of events, numbered from 1. The oldest are dropped first. */
export class RetransmitBuffer {
  readonly #entries = new Map<number, Entry>();
  #lastSeq = 0;
  /** The bytes of all events so far, and of those that were dropped. */
  #bytesAdded = 0;
  #bytesDropped = 0;

  /** The sequence number of the latest event. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The sequence number of the oldest stored event. */
  get oldestRetained(): number {
    return this.#lastSeq - this.#entries.size + 1;
  }

  /** Adds an event, and drops the oldest ones beyond the capacity. */
  add(event: RoomEvent): void {
    const json = JSON.stringify(event);
    const size = encoder.encode(json).length;
    this.#bytesAdded += size;
    this.#entries.set(++this.#lastSeq, {
      json,
      size,
      end: this.#bytesAdded,
      isChatMessage: isChatMessage(event),
    });
    for (const [seq, oldest] of this.#entries) {
      if (this.#bytesAdded - this.#bytesDropped <= CAPACITY) break;
      this.#entries.delete(seq);
      this.#bytesDropped = oldest.end;
    }
  }

  /** The bytes of the events after a sequence number. */
  sizeAfter(seq: number): number {
    return this.#bytesAdded - (this.#entries.get(seq)?.end ?? this.#bytesDropped);
  }

  /**
   * The chat messages after a sequence number, one by one; those too long are replaced by a note.
   */
  *messagesAfter(seq: number, { limit }: { limit: number }): Generator<Uint8Array> {
    for (let next = Math.max(seq + 1, this.oldestRetained); next <= this.#lastSeq; next++) {
      const entry = this.#entries.get(next)!;
      if (entry.isChatMessage) yield encoder.encode(truncated(entry, limit).json);
    }
  }

  /**
   * All events after a sequence number, in batches; chat messages too long are replaced by a note.
   */
  *after(
    seq: number,
    { nodeId, limit }: { nodeId: string; limit: number },
  ): Generator<EncodedBatch> {
    const most = Math.min(BATCH, limit - ENVELOPE);
    let batch = {
      first: Math.max(seq + 1, this.oldestRetained),
      facts: [] as string[],
      size: 0,
      truncated: 0,
    };
    const message = (last: number) => ({
      message: encodeEvents({ nodeId, first: batch.first, facts: batch.facts }),
      last,
      truncated: batch.truncated,
    });
    for (let next = batch.first; next <= this.#lastSeq; next++) {
      const entry = this.#entries.get(next)!;
      const { json, size } = truncated(entry, most);
      if (batch.size > 0 && batch.size + size > most) {
        yield message(next - 1);
        batch = { first: next, facts: [], size: 0, truncated: 0 };
      }
      batch.facts.push(json);
      batch.size += size + 1;
      if (json !== entry.json) batch.truncated++;
    }
    if (batch.facts.length > 0) yield message(this.#lastSeq);
  }
}

/** The event; a note instead of a chat message that is longer than the limit. */
function truncated(entry: Entry, limit: number): Pick<Entry, "json" | "size"> {
  if (!entry.isChatMessage || entry.size <= limit) return entry;
  const message: ChatMessage = JSON.parse(entry.json);
  const text = `(${formatSize(entry.size)}: more than the bus takes)`;
  const json = JSON.stringify({ ...message, text });
  return { json, size: encoder.encode(json).length };
}
