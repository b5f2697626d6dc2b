/**
 * Which sequence numbers of an end were seen: each byte counts once, in whatever order it comes.
 *
 * @module
 */
import type { End, SequenceGap } from "./end.ts";
import { advance, distance } from "../decode/sequence.ts";

/** How many gaps of an end are remembered; of more, the oldest is taken for lost. */
export const MAX_GAPS = 32;

/** What of a segment was new. */
export interface RecordedRange {
  /** How many of its sequence numbers were seen for the first time. */
  readonly newLength: number;
  /** The gap that it filled, or a part of it. */
  readonly gap: SequenceGap | undefined;
}

/** Notes the sequence numbers that a segment takes up. */
export function recordRange(
  end: End,
  { seq, length, time }: SequenceRange,
): RecordedRange {
  if (!end.hasNextSeq) startAt(end, seq);
  const ahead = distance(end.nextSeq, seq);
  if (ahead === 0 && end.gaps === undefined) {
    end.nextSeq = advance(seq, length);
    return { newLength: length, gap: undefined };
  }
  if (ahead > 0) addGap(end, { from: end.nextSeq, to: seq, time, isAcknowledged: false });
  const beyond = Math.max(0, Math.min(length, length + ahead));
  if (beyond > 0) end.nextSeq = advance(seq, length);
  const before = extendBackwards(end, seq, length);
  const { filled, gap } = fillGaps(end, seq, advance(seq, length - beyond));
  return { newLength: beyond + before + filled, gap };
}

/** A stretch of sequence numbers. */
export interface SequenceRange {
  /** Its first number. */
  readonly seq: number;
  /** How many numbers it has. */
  readonly length: number;
  /** When it was seen. */
  readonly time: number;
}

function startAt(end: End, seq: number): void {
  end.hasNextSeq = true;
  end.firstSeq = end.nextSeq = seq;
}

/** Where the beginning was not captured, what comes later may lie before the first that was seen. */
function extendBackwards(end: End, seq: number, span: number): number {
  const early = distance(seq, end.firstSeq);
  if (end.hasIsn || early <= 0) return 0;
  end.firstSeq = seq;
  return Math.min(early, span);
}

/** Notes that everything before `ack` was sent, whether or not it was seen. */
export function recordAcknowledged(end: End, ack: number, at: number): void {
  if (!end.hasNextSeq) return startAt(end, ack);
  if (distance(end.nextSeq, ack) <= 0) return;
  addGap(end, { from: end.nextSeq, to: ack, time: at, isAcknowledged: true });
  end.nextSeq = ack;
}

/** How many sequence numbers were passed over and never seen. */
export function missingLength({ gaps, discardedGapLength }: End): number {
  return (gaps ?? []).reduce((sum, { from, to }) => sum + distance(from, to), discardedGapLength);
}

function addGap(end: End, gap: SequenceGap): void {
  end.gaps ??= [];
  end.gaps.push(gap);
  if (end.gaps.length <= MAX_GAPS) return;
  const oldest = end.gaps.shift();
  if (oldest !== undefined) end.discardedGapLength += distance(oldest.from, oldest.to);
}

function fillGaps(
  end: End,
  from: number,
  to: number,
): { filled: number; gap: SequenceGap | undefined } {
  const { gaps } = end;
  if (gaps === undefined || distance(from, to) <= 0) return { filled: 0, gap: undefined };
  let filled = 0;
  let hit: SequenceGap | undefined;
  const left: SequenceGap[] = [];
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
  end.gaps = left.length === 0 ? undefined : left.slice(-MAX_GAPS);
  return { filled, gap: hit };
}
