/**
 * Summarises a capture: outcomes, failed destinations, handshake durations.
 *
 * @module
 */
import { endpointText } from "../decode/ip_address.ts";
import type { CaptureCounters } from "../track/capture_pipeline.ts";
import type { Flow } from "../track/flow.ts";
import { HandshakeTimes } from "./round_trips.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** Maximum number of destinations counted separately. */
const MAX_DESTINATIONS = 1000;
const DESTINATIONS_SHOWN = 10;
const OTHER_DESTINATIONS = "other destinations";

/** Counts flows, in bounded memory. */
export class Summary {
  readonly #outcomes = new Map<Outcome, number>();
  readonly #refused = new Map<string, number>();
  readonly #unanswered = new Map<string, number>();
  readonly #handshakeTimes = new HandshakeTimes();
  #flows = 0;
  #simultaneous = 0;
  #outOfOrder = 0;
  #nonEmptySegments = 0;
  #retransmissions = 0;

  /** Counts a flow. */
  add(flow: Flow): void {
    const outcome = outcomeOf(flow);
    this.#flows += 1;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    if (flow.isSimultaneous) this.#simultaneous += 1;
    this.#outOfOrder += flow.client.outOfOrder + flow.server.outOfOrder;
    this.#nonEmptySegments += flow.client.nonEmptySegments + flow.server.nonEmptySegments;
    this.#retransmissions += flow.client.retransmissions + flow.server.retransmissions;
    if (outcome === "refused") count(this.#refused, flow);
    if (outcome === "unanswered") count(this.#unanswered, flow);
    // Retransmitted SYNs are ambiguous (Karn's algorithm, RFC 6298, 3).
    const isMeasurable = flow.client.syns === 1 && flow.server.syns === 1 &&
      !flow.isSimultaneous && !flow.isReordered && flow.clockBack === 0;
    if (flow.establishedAt !== undefined && flow.synAt !== undefined && isMeasurable) {
      this.#handshakeTimes.add(flow.establishedAt - flow.synAt);
    }
  }

  /** Renders the summary in lines of at most 80 columns. */
  render(counters: CaptureCounters): string {
    const lines = [
      row("packets", `${number(counters.packets)}${omittedPackets(counters)}`),
      row("connections", `${number(this.#flows)}${this.#renderOutcomes()}`),
      row("success", this.#renderSuccess()),
      row("SYN to ACK", this.#handshakeTimes.renderPercentiles()),
      ...this.#handshakeTimes.renderHistogram(),
      row("retransmitted", rate(this.#retransmissions, this.#nonEmptySegments, "segments")),
      ...(this.#outOfOrder === 0
        ? []
        : [row("out of order", rate(this.#outOfOrder, this.#nonEmptySegments, "segments"))]),
      ...renderDestinations("refused by", this.#refused),
      ...renderDestinations("unanswered by", this.#unanswered),
      row(
        "evicted",
        `${number(counters.expired)} finished and ${number(counters.evicted)} open connections`,
      ),
    ];
    return lines.map((line) => `${line}\n`).join("");
  }

  #renderOutcomes(): string {
    const parts = [...this.#outcomes].toSorted(([, a], [, b]) => b - a)
      .map(([outcome, flows]) => `\n${" ".repeat(15)}${outcomeText(outcome)}: ${number(flows)}`);
    if (this.#simultaneous > 0) {
      parts.push(
        `\n${" ".repeat(15)}of them simultaneous opens: ${number(this.#simultaneous)}`,
      );
    }
    return parts.join("");
  }

  #renderSuccess(): string {
    const attempts = this.#flows - (this.#outcomes.get("partial") ?? 0);
    return rate(this.#outcomes.get("established") ?? 0, attempts, "attempts");
  }
}

function count(destinations: Map<string, number>, { server }: Flow): void {
  const name = endpointText(server.address, server.port);
  const isNew = !destinations.has(name);
  const key = isNew && destinations.size >= MAX_DESTINATIONS ? OTHER_DESTINATIONS : name;
  destinations.set(key, (destinations.get(key) ?? 0) + 1);
}

function renderDestinations(title: string, destinations: ReadonlyMap<string, number>): string[] {
  const sorted = [...destinations].toSorted(([, a], [, b]) => b - a);
  const lines = sorted.slice(0, DESTINATIONS_SHOWN).map(([name, flows], index) =>
    row(index === 0 ? title : "", `${number(flows).padStart(9)}  ${name}`)
  );
  const rest = sorted.slice(DESTINATIONS_SHOWN);
  if (rest.length > 0) {
    const flows = rest.reduce((sum, [, count]) => sum + count, 0);
    lines.push(row("", `${number(flows).padStart(9)}  at ${number(rest.length)} others`));
  }
  return lines;
}

/** Packets that belong to no flow, one line per kind. */
function omittedPackets(counters: CaptureCounters): string {
  const {
    withoutTcp,
    undecodable,
    filtered,
    duplicates,
    strayIcmpErrors,
  } = counters;
  const counts = [
    ...[...withoutTcp].map(([name, packets]) => [`without TCP, ${name}`, packets] as const),
    ...[...undecodable].map(([name, packets]) => [`not decoded, ${name}`, packets] as const),
    ["of other hosts or ports", filtered] as const,
    ["duplicates", duplicates] as const,
    ["ICMP errors about segments not captured", strayIcmpErrors] as const,
  ];
  return counts.filter(([, packets]) => packets > 0)
    .map(([name, packets]) => `\n${" ".repeat(15)}${name}: ${number(packets)}`).join("");
}

function outcomeText(outcome: Outcome): string {
  return outcome === "partial" ? "began before the capture" : outcome;
}

function rate(part: number, whole: number, noun: string): string {
  const percent = whole === 0 ? "–" : `${(part / whole * 100).toFixed(2)} %`;
  return `${percent} (${number(part)} of ${number(whole)} ${noun})`;
}

function row(title: string, text: string): string {
  return `${title.padEnd(15)}${text}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
