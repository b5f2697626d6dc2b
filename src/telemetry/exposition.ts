/**
 * Generates Prometheus's text format in turns of the event loop, because it is long with many outlets.
 *
 * @module
 */
import { TurnBudget } from "../scheduling/turn_budget.ts";

/** A metric family: all metrics with one name. */
export interface Family {
  /** The name. */
  readonly name: string;
  /** A one-line description. */
  readonly help: string;
  /** Its type. */
  readonly type: "counter" | "gauge" | "histogram";
  /** Its current values. */
  samples(): Iterable<Sample>;
}

/** A value with its labels. */
export interface Sample {
  /** A suffix of the family's name, such as `_sum`. */
  readonly suffix?: string;
  /** Its labels, formatted by {@linkcode labelText}. */
  readonly labels: string;
  /** The value. */
  readonly value: number;
}

/** The least length of a piece of text, in characters. */
const PIECE = 32 * 1024;

/** The text of metric families in pieces, generated in turns of the event loop. */
export async function* expositionOf(families: Iterable<Family>): AsyncGenerator<string> {
  const budget = new TurnBudget();
  let text = "";
  for (const { name, help, type, samples } of families) {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const { suffix = "", labels, value } of samples()) {
      text += `${name}${suffix}${labels && `{${labels}}`} ${numberText(value)}\n`;
      if (text.length >= PIECE) {
        yield text;
        text = "";
      }
      const turn = budget.spend();
      if (turn) await turn;
    }
    text += "\n";
  }
  if (text !== "") yield text;
}

/** Formats labels: `outlet="echo",address="127.0.0.1:7"`. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`).join(",");
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : value < 0 ? "-Inf" : "NaN";
}
