/**
 * Describes packets and flows that are not part of any ladder.
 *
 * @module
 */
import type { CaptureCounters } from "../track/capture_pipeline.ts";

/**
 * One line for each kind of packet or flow that is not shown. A summary includes most of them
 * itself.
 */
export function omissionLines(
  facts: CaptureCounters,
  { isSummary }: { isSummary: boolean },
): string[] {
  const lines = [...facts.undecodable].map(([name, packets]) =>
    `${counted(packets, "packet")} ${name} could not be decoded`
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
    lines.push(`${counted(strayIcmpErrors, "ICMP error")} about segments that were not captured`);
  }
  return lines;
}

function flowLines({ evicted, expired }: CaptureCounters): string[] {
  const lines: string[] = [];
  if (evicted > 0) {
    lines.push(
      `${counted(evicted, "open connection")} evicted; --flows sets the limit`,
    );
  }
  if (expired > 0) {
    lines.push(
      `${counted(expired, "finished connection")} evicted: ` +
        "their later segments are shown as new connections",
    );
  }
  return lines;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
