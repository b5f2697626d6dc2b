/**
 * What stands in no ladder, counted in words.
 *
 * @module
 */
import type { CaptureCounters } from "../track/capture_pipeline.ts";

/** A line for each kind of packet that stands in no ladder; a summary has most of them itself. */
export function omissionLines(
  facts: CaptureCounters,
  { isSummary }: { isSummary: boolean },
): string[] {
  const lines = [...facts.undecodable].map(([name, packets]) =>
    `${counted(packets, "packet")} ${name} ${packets === 1 ? "was" : "were"} not understood`
  );
  return isSummary ? lines : [...packetLines(facts), ...lines, ...flowLines(facts)];
}

function packetLines(
  { withoutTcp, filtered, strayIcmpErrors }: CaptureCounters,
): string[] {
  const lines: string[] = [];
  const packets = [...withoutTcp.values()].reduce((sum, count) => sum + count, 0);
  if (packets > 0) {
    const kinds = [...withoutTcp].map(([name, count]) => `${count} ${name}`).join(", ");
    lines.push(`${counted(packets, "packet")} without TCP: ${kinds}`);
  }
  if (filtered > 0) lines.push(`${counted(filtered, "segment")} of other hosts or ports`);
  if (strayIcmpErrors > 0) {
    lines.push(`${counted(strayIcmpErrors, "ICMP error")} about no segment that was seen`);
  }
  return lines;
}

function flowLines({ evicted, expired }: CaptureCounters): string[] {
  const lines: string[] = [];
  if (evicted > 0) {
    lines.push(
      `${counted(evicted, "connection")} left while open, to make room; --flows is the limit`,
    );
  }
  if (expired > 0) {
    lines.push(
      `${counted(expired, "connection")} forgotten once over, to make room: ` +
        "what came of them later is shown apart",
    );
  }
  return lines;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
