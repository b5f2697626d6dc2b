/**
 * The lines of a room that are being sent to its members.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";

/** A line, and its sender if that is a member on this server. */
interface LoggedLine<Member> {
  readonly bytes: Uint8Array;
  readonly sender: Member | undefined;
}

/** Consecutive lines, from `start` up to but not including `end`. */
interface Section<Member> {
  readonly start: number;
  readonly end: number;
  readonly limit: number;
  /** Whether the next line did not fit. */
  readonly isFull: boolean;
  readonly bytes: Uint8Array;
  readonly senders: ReadonlySet<Member | undefined>;
}

/** A queue of numbered lines. */
export class LineLog<Member> {
  #lines: LoggedLine<Member>[] = [];
  #start = 0;
  #size = 0;
  /** The last section read. Most members read the same section, and share its bytes. */
  #section: Section<Member> | undefined;

  /** The number of the next line. */
  get end(): number {
    return this.#start + this.#lines.length;
  }

  /** The bytes of all lines in the log. */
  get size(): number {
    return this.#size;
  }

  /** Adds a line and its sender. */
  add(bytes: Uint8Array, sender: Member | undefined): void {
    this.#lines.push({ bytes, sender });
    this.#size += bytes.length;
  }

  /**
   * Reads lines from `start`, up to `limit` bytes but at least one, without the reader's own.
   *
   * @returns their bytes, and the number of the next line
   */
  read(
    start: number,
    { limit, reader }: { limit: number; reader: Member },
  ): { bytes: Uint8Array; end: number } {
    const section = this.#sectionFrom(start, limit);
    const { bytes, end, senders } = section;
    if (!senders.has(reader)) return { bytes, end };
    const others = this.#between(start, end).filter(({ sender }) => sender !== reader);
    return { bytes: concat(others.map(({ bytes }) => bytes)), end };
  }

  /** Drops all lines before this one. */
  dropBefore(before: number): void {
    const dropped = this.#lines.splice(0, before - this.#start);
    for (const { bytes } of dropped) this.#size -= bytes.length;
    this.#start = before;
    this.#section = undefined;
  }

  #sectionFrom(start: number, limit: number): Section<Member> {
    const last = this.#section;
    const isSame = last?.start === start && last.limit === limit;
    if (isSame && (last.isFull || last.end === this.end)) return last;
    const end = this.#endOf(start, limit);
    const lines = this.#between(start, end);
    return this.#section = {
      start,
      end,
      limit,
      isFull: end < this.end,
      bytes: concat(lines.map(({ bytes }) => bytes)),
      senders: new Set(lines.map(({ sender }) => sender)),
    };
  }

  #endOf(start: number, limit: number): number {
    let end = start;
    for (let size = 0; end < this.end; end++) {
      size += this.#lines[end - this.#start]!.bytes.length;
      if (size > limit && end > start) break;
    }
    return end;
  }

  #between(start: number, end: number): LoggedLine<Member>[] {
    return this.#lines.slice(start - this.#start, end - this.#start);
  }
}
