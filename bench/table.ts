/**
 * Tables in Markdown, aligned for a terminal.
 *
 * @module
 */

/** One section of the results. */
export interface Section {
  /** Its title. */
  readonly title: string;
  /** Explanations, and what was not measured. */
  readonly notes: readonly string[];
  /** Column heads; the first column is left-aligned, the others right-aligned. */
  readonly head: readonly string[];
  /** The rows. */
  readonly rows: readonly (readonly string[])[];
}

/** A section as Markdown. */
export function format({ title, notes, head, rows }: Section): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]!.length))
  );
  const line = (row: readonly string[]) =>
    `| ${
      row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
        .join(" | ")
    } |`;
  const rule = `| ${
    widths.map((width, i) => "-".repeat(width - (i && 1)) + (i ? ":" : "")).join(" | ")
  } |`;
  return [
    `### ${title}`,
    "",
    ...notes.flatMap((note) => [note, ""]),
    line(head),
    rule,
    ...rows.map(line),
  ]
    .join("\n") + "\n";
}

/** A number with significant digits: `45,300`, `1.52`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 100) return Math.round(Number(value.toPrecision(3))).toLocaleString("en-US");
  return value.toPrecision(3);
}

/** A ratio, and whether it reaches the goal, if there is one: `1.31 ×  (goal 1.20: reached)`. */
export function ratio(value: number, goal?: Goal): string {
  const shown = `${value.toFixed(2)} ×`;
  if (!goal || !Number.isFinite(value)) return shown;
  const [bound, sign] = "least" in goal ? [goal.least, "≥"] : [goal.most, "≤"];
  const reached = "least" in goal ? value >= bound : value <= bound;
  return `${shown}, ${reached ? "reaches" : "misses"} ${sign} ${bound}`;
}

/** A minimum or maximum of the ratio of outlet to another program. */
export type Goal = { readonly least: number } | { readonly most: number };
