/**
 * Tracks which sequence numbers of an end were captured.
 *
 * @module
 */
import type { End, SequenceGap } from "./end.ts";
import { advance, distance } from "../decode/sequence.ts";

/** Maximum number of gaps per end; beyond it, the oldest counts as lost. */
const MAX_GAPS = 32;

/** Result of recording a range. */
export interface RecordedRange {
  /** Sequence numbers not captured before. */
  readonly newLength: number;
  /** The gap that it filled, at least partly. */
  readonly gap: SequenceGap | undefined;
}

/** Records the sequence numbers of a segment. */
export function recordRange(
  end: End,
  { seq, length, time }: SequenceRange,
): RecordedRange {
  if (!end.hasNextSeq) startSequence(end, seq);
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

/** A range of sequence numbers. */
export interface SequenceRange {
  /** First sequence number. */
  readonly seq: number;
  /** Length. */
  readonly length: number;
  /** Capture time in milliseconds since the flow's origin. */
  readonly time: number;
}

/** Sets the first sequence number of an end. */
export function startSequence(end: End, seq: number): void {
  end.hasNextSeq = true;
  end.firstSeq = end.nextSeq = seq;
}

/** Extends the range backwards if the start of the stream was not captured. */
function extendBackwards(end: End, seq: number, length: number): number {
  const early = distance(seq, end.firstSeq);
  if (end.hasIsn || early <= 0) return 0;
  end.firstSeq = seq;
  return Math.min(early, length);
}

/** Records that everything before `ack` was sent; missing ranges become gaps. */
export function recordAcknowledged(end: End, ack: number, time: number): void {
  if (!end.hasNextSeq) return startSequence(end, ack);
  if (distance(end.nextSeq, ack) <= 0) return;
  addGap(end, { from: end.nextSeq, to: ack, time, isAcknowledged: true });
  end.nextSeq = ack;
}

/** Number of sequence numbers that were sent and not captured. */
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
  let firstGap: SequenceGap | undefined;
  const remaining: SequenceGap[] = [];
  for (const gap of gaps) {
    const start = distance(gap.from, from) > 0 ? from : gap.from;
    const stop = distance(to, gap.to) > 0 ? to : gap.to;
    const overlap = distance(start, stop);
    if (overlap <= 0) {
      remaining.push(gap);
      continue;
    }
    filled += overlap;
    firstGap ??= gap;
    if (distance(gap.from, start) > 0) remaining.push({ ...gap, to: start });
    if (distance(stop, gap.to) > 0) remaining.push({ ...gap, from: stop });
  }
  end.gaps = remaining.length === 0 ? undefined : remaining.slice(-MAX_GAPS);
  return { filled, gap: firstGap };
}
