/**
 * The overview of all modes, and the layout of help. Loads no mode.
 *
 * @module
 */
import { MODES } from "./modes.ts";

/** A page of help, before layout: paragraphs and sections. */
export type Page = readonly (string | Section)[];

/** A titled section of a page. */
export interface Section {
  /** The title. */
  readonly title: string;
  /** Lines, or rows of two columns, of which the second is wrapped. */
  readonly rows: readonly (string | readonly [first: string, second: string])[];
}

const INTRODUCTION =
  "outlet serves, tests and traces network services. A server has any number of outlets: each is a service " +
  "at an address of its own.";

/** The last paragraphs of every page. */
export const CLOSING: readonly string[] = [
  "Durations: 500ms, 30s, 5m, 2h; a bare number is seconds. Sizes: 4096, 64k, 16M, 1G; k is 1024 bytes.",
  "Exit codes: 0 success, 1 network or system error, 2 wrong usage, also if an option names a file that cannot " +
  "be used. The program of outlet client or of an exec outlet with once passes its own on.",
];

/** Where the second column begins. */
const COLUMN = 28;

/** Below this width, the second column is put below the first. */
const NARROW = 30;

/** The indentation of a second column that is below the first. */
const INDENT = 6;

/** The overview of all modes. */
export function overview(): Page {
  const modes = Object.entries(MODES).map(([name, { summary }]) =>
    [`outlet ${name}`, summary] as const
  );
  return [
    INTRODUCTION,
    { title: "Modes", rows: [...modes, ["outlet help MODE", "options and examples of a mode"]] },
    {
      title: "In every mode",
      rows: [
        ["-h, --help", "print help, and exit"],
        ["-V, --version", "print the version, and exit"],
        ["--mode MODE", "same as the mode as first word"],
        ["outlet help SERVICE", "options and examples of a service"],
      ],
    },
    {
      title: "Examples",
      rows: Object.values(MODES).flatMap(({ examples }) => exampleRows(examples)),
    },
    ...CLOSING,
  ];
}

/** Example commands, each with its explanation on the next line. */
export function exampleRows(
  examples: readonly (readonly [call: string, does: string])[],
): Section["rows"] {
  return examples.flatMap(([call, does]) => [`  ${call}`, `      ${does}`]);
}

/** Wraps a page to the given number of columns. */
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

/** Wraps text; the first line is indented by `indent`, the others by `hang`. */
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
