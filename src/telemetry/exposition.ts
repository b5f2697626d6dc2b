/**
 * Prometheus's text format, made as it is read: where there are many outlets it is long, and nobody else waits for it.
 *
 * @module
 */
import { TurnBudget } from "../scheduling/turn_budget.ts";

/** Metrics of one name. */
export interface Family {
  /** The name. */
  readonly name: string;
  /** What it is, on one line. */
  readonly help: string;
  /** Its kind. */
  readonly type: "counter" | "gauge" | "histogram";
  /** Its values now. */
  samples(): Iterable<Sample>;
}

/** One value. */
export interface Sample {
  /** What follows the family's name, such as `_sum`. */
  readonly suffix?: string;
  /** Its labels, as {@linkcode labelText} writes them. */
  readonly labels: string;
  /** The value. */
  readonly value: number;
}

/** How long a piece of the text is at least, in characters. */
const PIECE = 32 * 1024;

/** The text of families, piece by piece, in turns of the event loop. */
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

/** Labels, as the format has them: `outlet="echo",address="127.0.0.1:7"`. */
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
