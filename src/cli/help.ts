/**
 * Help on all modes together, and how help looks. It needs nothing of what the modes need.
 *
 * @module
 */
import { MODES } from "./modes.ts";

/** A page of help, before it is laid out. */
export type Page = readonly (string | Section)[];

/** A title, and what is below it. */
export interface Section {
  /** What stands above. */
  readonly title: string;
  /** Lines as they are, or two columns, of which the second is wrapped. */
  readonly rows: readonly (string | readonly [first: string, second: string])[];
}

const INTRODUCTION =
  "outlet turns a machine into a room full of sockets: every port an outlet, every outlet a service, and a " +
  "connection of its own for every client that plugs in.";

/** What stands below all help. */
export const CLOSING: readonly string[] = [
  "Durations are 500ms, 30s, 5m or 2h; a bare number is seconds. Sizes are 4096, 64k or 16M.",
  "Exit codes: 0 done, 1 the network or the system refused, 2 wrong usage.",
];

/** Where the second column begins, and how wide it has to be, else it begins below the first. */
const COLUMN = 28;
const NARROW = 30;

/** How far the second column is indented where it stands below the first. */
const INDENT = 6;

/** Help on all modes. */
export function overview(): Page {
  const modes = Object.entries(MODES).map(([name, { summary }]) =>
    [`outlet ${name}`, summary] as const
  );
  return [
    INTRODUCTION,
    { title: "Modes", rows: [...modes, ["outlet help MODE", "what a mode can do"]] },
    {
      title: "Everywhere",
      rows: [
        ["-h, --help", "this help"],
        ["-V, --version", "the version"],
        ["--mode MODE", "the same as the mode's word"],
        ["outlet help SERVICE", "what a service is, and what can be asked of it"],
      ],
    },
    {
      title: "Examples",
      rows: Object.values(MODES).flatMap(({ examples }) => exampleRows(examples)),
    },
    ...CLOSING,
  ];
}

/** Calls, each with what it does below it. */
export function exampleRows(
  examples: readonly (readonly [call: string, does: string])[],
): Section["rows"] {
  return examples.flatMap(([call, does]) => [`  ${call}`, `      ${does}`]);
}

/** Lays a page out in so many columns. */
export function layOut(page: Page, width: number): string {
  return page.map((part) =>
    typeof part === "string"
      ? wrap(part, { width, indent: 0 }).join("\n")
      : [`${part.title}:`, ...part.rows.flatMap((row) => layOutRow(row, width))].join("\n")
  ).join("\n\n") + "\n";
}

function layOutRow(row: Section["rows"][number], width: number): string[] {
  if (typeof row === "string") {
    const indent = /^ */.exec(row)![0].length;
    return wrap(row.trim(), { width, indent, hang: indent + 4 });
  }
  const [first, second] = row;
  const isNarrow = width - COLUMN < NARROW;
  const indent = isNarrow ? INDENT : COLUMN;
  const lines = wrap(second, { width, indent });
  const head = `  ${first}`;
  if (isNarrow || head.length >= COLUMN) return [head, ...lines];
  return [head.padEnd(COLUMN) + lines[0]!.trimStart(), ...lines.slice(1)];
}

/** The words in lines, which begin at `indent`, all but the first at `hang`. */
function wrap(
  text: string,
  { width, indent, hang = indent }: { width: number; indent: number; hang?: number },
): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const start = lines.length === 0 ? indent : hang;
    if (line !== "" && start + line.length + 1 + word.length > width) {
      lines.push(" ".repeat(start) + line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, " ".repeat(lines.length === 0 ? indent : hang) + line];
}
