/**
 * The lines of a room that are on their way to its members.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";

/** A line, and who said it, where that was a member of this room. */
interface LoggedLine<Member> {
  readonly bytes: Uint8Array;
  readonly speaker: Member | undefined;
}

/** Lines one behind the other: those from `start` to before `end`. */
interface Section<Member> {
  readonly start: number;
  readonly end: number;
  readonly limit: number;
  /** Whether the next line did not fit. */
  readonly isFull: boolean;
  readonly bytes: Uint8Array;
  readonly speakers: ReadonlySet<Member | undefined>;
}

/** Lines, numbered in one sequence, until they are forgotten. */
export class LineLog<Member> {
  #lines: LoggedLine<Member>[] = [];
  #start = 0;
  #size = 0;
  /** What was read last: most members read the same, and share the bytes. */
  #section: Section<Member> | undefined;

  /** The number that the next line will have. */
  get end(): number {
    return this.#start + this.#lines.length;
  }

  /** The bytes of the lines that are kept. */
  get size(): number {
    return this.#size;
  }

  /** Adds a line, and who said it. */
  add(bytes: Uint8Array, speaker: Member | undefined): void {
    this.#lines.push({ bytes, speaker });
    this.#size += bytes.length;
  }

  /**
   * The lines from this one on, as many as fit in `limit` bytes but at least one, without those that the reader said
   * itself.
   *
   * @returns their bytes, and the number of the line that follows
   */
  read(
    start: number,
    { limit, reader }: { limit: number; reader: Member },
  ): { bytes: Uint8Array; end: number } {
    const section = this.#sectionFrom(start, limit);
    const { bytes, end, speakers } = section;
    if (!speakers.has(reader)) return { bytes, end };
    const others = this.#between(start, end).filter(({ speaker }) => speaker !== reader);
    return { bytes: concat(others.map(({ bytes }) => bytes)), end };
  }

  /** Forgets the lines before this one. */
  forget(before: number): void {
    const gone = this.#lines.splice(0, before - this.#start);
    for (const { bytes } of gone) this.#size -= bytes.length;
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
      speakers: new Set(lines.map(({ speaker }) => speaker)),
    };
  }

  /** Where a section ends that begins there. */
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
