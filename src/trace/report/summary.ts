/**
 * A whole capture in a few lines: how many attempts, how they went, how long they took.
 *
 * @module
 */
import { endpointText } from "../decode/ip_address.ts";
import type { CaptureCounters } from "../track/capture_pipeline.ts";
import type { Flow } from "../track/flow.ts";
import { HandshakeTimes } from "./round_trips.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** Failures are told by destination, of no more than this many; the rest is told together. */
const MAX_DESTINATIONS = 1000;
const DESTINATIONS_SHOWN = 10;
const OTHER_DESTINATIONS = "elsewhere";

/** Adds up flows as they finish, in memory that does not grow with them. */
export class Summary {
  readonly #outcomes = new Map<Outcome, number>();
  readonly #refusals = new Map<string, number>();
  readonly #silences = new Map<string, number>();
  readonly #roundTrips = new HandshakeTimes();
  #flows = 0;
  #simultaneous = 0;
  #outOfOrder = 0;
  #sending = 0;
  #resent = 0;

  /** Counts one flow. */
  add(flow: Flow): void {
    const outcome = outcomeOf(flow);
    this.#flows += 1;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    if (flow.isSimultaneous) this.#simultaneous += 1;
    this.#outOfOrder += flow.client.outOfOrder + flow.server.outOfOrder;
    this.#sending += flow.client.nonEmptySegments + flow.server.nonEmptySegments;
    this.#resent += flow.client.retransmissions + flow.server.retransmissions;
    if (outcome === "refused") count(this.#refusals, flow);
    if (outcome === "unanswered") count(this.#silences, flow);
    // Of a repeated SYN nobody can tell which one was answered (Karn's algorithm, RFC 6298, section 3).
    const isMeasurable = flow.client.syns === 1 && flow.server.syns === 1 &&
      !flow.isSimultaneous && !flow.isReordered && flow.clockBack === 0;
    if (flow.establishedAt !== undefined && flow.synAt !== undefined && isMeasurable) {
      this.#roundTrips.add(flow.establishedAt - flow.synAt);
    }
  }

  /** Everything in lines of at most 80 columns. */
  render(facts: CaptureCounters): string {
    const lines = [
      row("packets", `${number(facts.packets)}${omittedPackets(facts)}`),
      row("connections", `${number(this.#flows)}${this.#renderOutcomes()}`),
      row("success", this.#renderSuccess()),
      row("SYN to ACK", this.#roundTrips.renderPercentiles()),
      ...this.#roundTrips.renderHistogram(),
      row("sent again", rate(this.#resent, this.#sending, "segments")),
      ...(this.#outOfOrder === 0
        ? []
        : [row("out of order", rate(this.#outOfOrder, this.#sending, "segments"))]),
      ...renderDestinations("refused by", this.#refusals),
      ...renderDestinations("silent", this.#silences),
      row(
        "left",
        `${number(facts.expired)} finished flows forgotten, ` +
          `${number(facts.evicted)} open ones left, to make room`,
      ),
    ];
    return lines.map((line) => `${line}\n`).join("");
  }

  #renderOutcomes(): string {
    const parts = [...this.#outcomes].toSorted(([, a], [, b]) => b - a)
      .map(([outcome, flows]) => `\n${" ".repeat(15)}${outcomeText(outcome)}: ${number(flows)}`);
    if (this.#simultaneous > 0) {
      parts.push(
        `\n${" ".repeat(15)}of them opened by both ends at once: ${number(this.#simultaneous)}`,
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

/** What the packets were that stand in no connection, a line each. */
function omittedPackets(facts: CaptureCounters): string {
  const {
    withoutTcp,
    undecodable,
    filtered,
    duplicates,
    strayIcmpErrors,
  } = facts;
  const counts = [
    ...[...withoutTcp].map(([name, packets]) => [`without TCP, ${name}`, packets] as const),
    ...[...undecodable].map(([name, packets]) => [`not understood, ${name}`, packets] as const),
    ["of other hosts or ports", filtered] as const,
    ["captured twice", duplicates] as const,
    ["ICMP errors about nothing seen", strayIcmpErrors] as const,
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
