/**
 * What one server told the others of a room: kept for a while, for those who missed some of it.
 *
 * @module
 */
import { isChatMessage, type RoomEvent } from "./message.ts";
import { encodeFacts } from "./wire.ts";

/** Bytes of facts that are kept. While the bus is down, this is the queue of what will be sent. */
export const KEPT = 1024 * 1024;

/** Bytes of facts that go into one message. */
const BATCH = 32 * 1024;

const encoder = new TextEncoder();

/** A fact, as it is kept. */
interface Entry {
  readonly json: string;
  readonly size: number;
  /** Bytes of all facts up to this one. */
  readonly end: number;
  readonly uttered: boolean;
}

/** Facts in the order in which they were told, numbered from 1; the oldest make room for the latest. */
export class RetransmitBuffer {
  readonly #facts = new Map<number, Entry>();
  #seq = 0;
  /** Bytes of all facts so far, and of those that are not kept any more. */
  #added = 0;
  #forgotten = 0;

  /** The number of the latest fact. */
  get seq(): number {
    return this.#seq;
  }

  /** The number of the earliest fact that is still kept. */
  get first(): number {
    return this.#seq - this.#facts.size + 1;
  }

  /** Keeps a fact. */
  add(fact: RoomEvent): void {
    const json = JSON.stringify(fact);
    const size = encoder.encode(json).length;
    this.#added += size;
    this.#facts.set(++this.#seq, { json, size, end: this.#added, uttered: isChatMessage(fact) });
    for (const [seq, oldest] of this.#facts) {
      if (this.#added - this.#forgotten <= KEPT) break;
      this.#facts.delete(seq);
      this.#forgotten = oldest.end;
    }
  }

  /** Bytes of what is kept after a number. */
  sizeAfter(seq: number): number {
    return this.#added - (this.#facts.get(seq)?.end ?? this.#forgotten);
  }

  /** What was said after a number, each as a message by itself. */
  *uttered(seq: number): Generator<Uint8Array> {
    for (let next = Math.max(seq + 1, this.first); next <= this.#seq; next++) {
      const { uttered, json } = this.#facts.get(next)!;
      if (uttered) yield encoder.encode(json);
    }
  }

  /** Everything that is kept after a number, as messages from this origin, each with the number of its last fact. */
  *after(seq: number, origin: string): Generator<{ message: Uint8Array; last: number }> {
    let first = Math.max(seq + 1, this.first);
    let facts: string[] = [];
    let size = 0;
    const message = () => encodeFacts({ origin, first, facts });
    for (let next = first; next <= this.#seq; next++) {
      const fact = this.#facts.get(next)!;
      if (size > 0 && size + fact.size > BATCH) {
        yield { message: message(), last: next - 1 };
        [first, facts, size] = [next, [], 0];
      }
      facts.push(fact.json);
      size += fact.size;
    }
    if (facts.length > 0) yield { message: message(), last: this.#seq };
  }
}
