/**
 * Which sequence numbers of an end were seen: each byte counts once, in whatever order it comes.
 *
 * @module
 */
import type { End, Gap } from "./end.ts";
import { advanced, distance } from "../decode/sequence.ts";

/** How many gaps of an end are remembered; of more, the oldest is taken for lost. */
export const MOST_GAPS = 32;

/** What of a segment was new. */
export interface Covered {
  /** How many of its sequence numbers were seen for the first time. */
  readonly fresh: number;
  /** The gap that it filled, or a part of it. */
  readonly gap: Gap | undefined;
}

/** Notes the sequence numbers that a segment takes up. */
export function cover(end: End, { seq, span, at }: Span): Covered {
  if (!end.hasNext) begin(end, seq);
  const ahead = distance(end.next, seq);
  if (ahead === 0 && end.gaps === undefined) {
    end.next = advanced(seq, span);
    return { fresh: span, gap: undefined };
  }
  if (ahead > 0) addGap(end, { from: end.next, to: seq, at, isAcknowledged: false });
  const beyond = Math.max(0, Math.min(span, span + ahead));
  if (beyond > 0) end.next = advanced(seq, span);
  const before = coverBefore(end, seq, span);
  const { filled, gap } = fill(end, seq, advanced(seq, span - beyond));
  return { fresh: beyond + before + filled, gap };
}

/** A stretch of sequence numbers. */
export interface Span {
  /** Its first number. */
  readonly seq: number;
  /** How many numbers it has. */
  readonly span: number;
  /** When it was seen. */
  readonly at: number;
}

function begin(end: End, seq: number): void {
  end.hasNext = true;
  end.first = end.next = seq;
}

/** Where the beginning was not captured, what comes later may lie before the first that was seen. */
function coverBefore(end: End, seq: number, span: number): number {
  const early = distance(seq, end.first);
  if (end.hasIsn || early <= 0) return 0;
  end.first = seq;
  return Math.min(early, span);
}

/** Notes that everything before `ack` was sent, whether or not it was seen. */
export function coverAcknowledged(end: End, ack: number, at: number): void {
  if (!end.hasNext) return begin(end, ack);
  if (distance(end.next, ack) <= 0) return;
  addGap(end, { from: end.next, to: ack, at, isAcknowledged: true });
  end.next = ack;
}

/** How many sequence numbers were passed over and never seen. */
export function missingOf({ gaps, forgottenGaps }: End): number {
  return (gaps ?? []).reduce((sum, { from, to }) => sum + distance(from, to), forgottenGaps);
}

function addGap(end: End, gap: Gap): void {
  end.gaps ??= [];
  end.gaps.push(gap);
  if (end.gaps.length <= MOST_GAPS) return;
  const oldest = end.gaps.shift();
  if (oldest !== undefined) end.forgottenGaps += distance(oldest.from, oldest.to);
}

function fill(end: End, from: number, to: number): { filled: number; gap: Gap | undefined } {
  const { gaps } = end;
  if (gaps === undefined || distance(from, to) <= 0) return { filled: 0, gap: undefined };
  let filled = 0;
  let hit: Gap | undefined;
  const left: Gap[] = [];
  for (const gap of gaps) {
    const start = distance(gap.from, from) > 0 ? from : gap.from;
    const stop = distance(to, gap.to) > 0 ? to : gap.to;
    const overlap = distance(start, stop);
    if (overlap <= 0) {
      left.push(gap);
      continue;
    }
    filled += overlap;
    hit ??= gap;
    if (distance(gap.from, start) > 0) left.push({ ...gap, to: start });
    if (distance(stop, gap.to) > 0) left.push({ ...gap, from: stop });
  }
  end.gaps = left.length === 0 ? undefined : left.slice(-MOST_GAPS);
  return { filled, gap: hit };
}
