/**
 * What one server told the others of a room: kept for a while, for those who missed some of it.
 *
 * @module
 */
import { formatSize } from "../options/quantity.ts";
import { type ChatMessage, isChatMessage, type RoomEvent } from "./message.ts";
import { encodeFacts, ENVELOPE } from "./wire.ts";

/** Bytes of facts that are kept. While the bus is down, this is the queue of what will be sent. */
export const CAPACITY = 1024 * 1024;

/** Bytes of facts that go into one message, where the bus takes so many. */
const BATCH = 32 * 1024;

const encoder = new TextEncoder();

/** Facts on their way. */
export interface FactsMessage {
  /** The bytes. */
  readonly message: Uint8Array;
  /** The number of its last fact. */
  readonly last: number;
  /** How many of its facts are notes of what was too long for the bus. */
  readonly cut: number;
}

/** A fact, as it is kept. */
interface Entry {
  readonly json: string;
  readonly size: number;
  /** Bytes of all facts up to this one. */
  readonly end: number;
  readonly isChatMessage: boolean;
}

/** Facts in the order in which they were told, numbered from 1; the oldest make room for the latest. */
export class RetransmitBuffer {
  readonly #entries = new Map<number, Entry>();
  #lastSeq = 0;
  /** Bytes of all facts so far, and of those that are not kept any more. */
  #bytesAdded = 0;
  #bytesDropped = 0;

  /** The number of the latest fact. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The number of the earliest fact that is still kept. */
  get oldestRetained(): number {
    return this.#lastSeq - this.#entries.size + 1;
  }

  /** Keeps a fact. */
  add(fact: RoomEvent): void {
    const json = JSON.stringify(fact);
    const size = encoder.encode(json).length;
    this.#bytesAdded += size;
    this.#entries.set(++this.#lastSeq, {
      json,
      size,
      end: this.#bytesAdded,
      isChatMessage: isChatMessage(fact),
    });
    for (const [seq, oldest] of this.#entries) {
      if (this.#bytesAdded - this.#bytesDropped <= CAPACITY) break;
      this.#entries.delete(seq);
      this.#bytesDropped = oldest.end;
    }
  }

  /** Bytes of what is kept after a number. */
  sizeAfter(seq: number): number {
    return this.#bytesAdded - (this.#entries.get(seq)?.end ?? this.#bytesDropped);
  }

  /** What was said after a number, each as a message by itself; those with more than `limit` bytes as a note of that. */
  *messagesAfter(seq: number, { limit }: { limit: number }): Generator<Uint8Array> {
    for (let next = Math.max(seq + 1, this.oldestRetained); next <= this.#lastSeq; next++) {
      const entry = this.#entries.get(next)!;
      if (entry.isChatMessage) yield encoder.encode(fitted(entry, limit).json);
    }
  }

  /**
   * Everything that is kept after a number, as messages of at most `limit` bytes from this node. What somebody said
   * that cannot fit is replaced by a note of that.
   */
  *after(
    seq: number,
    { nodeId: origin, limit }: { nodeId: string; limit: number },
  ): Generator<FactsMessage> {
    const most = Math.min(BATCH, limit - ENVELOPE);
    let batch = {
      first: Math.max(seq + 1, this.oldestRetained),
      facts: [] as string[],
      size: 0,
      cut: 0,
    };
    const message = (last: number) => ({
      message: encodeFacts({ origin, first: batch.first, facts: batch.facts }),
      last,
      cut: batch.cut,
    });
    for (let next = batch.first; next <= this.#lastSeq; next++) {
      const entry = this.#entries.get(next)!;
      const { json, size } = fitted(entry, most);
      if (batch.size > 0 && batch.size + size > most) {
        yield message(next - 1);
        batch = { first: next, facts: [], size: 0, cut: 0 };
      }
      batch.facts.push(json);
      batch.size += size + 1;
      if (json !== entry.json) batch.cut++;
    }
    if (batch.facts.length > 0) yield message(this.#lastSeq);
  }
}

/** The fact, or a note of what could not be sent where it is something that was said and has more bytes than fit. */
function fitted(entry: Entry, limit: number): Pick<Entry, "json" | "size"> {
  if (!entry.isChatMessage || entry.size <= limit) return entry;
  const message: ChatMessage = JSON.parse(entry.json);
  const text = `(${formatSize(entry.size)}: more than the bus takes)`;
  const json = JSON.stringify({ ...message, text });
  return { json, size: encoder.encode(json).length };
}
