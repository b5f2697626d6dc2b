/**
 * Help on all modes together, and how help looks. It needs nothing of what the modes need.
 *
 * @module
 */
import { MODES } from "./modes.ts";

const INTRODUCTION =
  `outlet turns a machine into a room full of sockets: every port an outlet, every
outlet a service, and a connection of its own for every client that plugs in.`;

/** What stands below all help. */
export const CLOSING: string =
  `Durations are 500ms, 30s, 5m or 2h; a bare number is seconds. Sizes are 4096, 64k or 16M.
Exit codes: 0 done, 1 the network or the system refused, 2 wrong usage.`;

/** Where the second column begins, and where lines end. */
const COLUMN = 28;
const WIDTH = 92;

/** Help on all modes. */
export function overview(): string {
  const modes = Object.entries(MODES).map(([name, { summary }]) => row(`outlet ${name}`, summary));
  return page([
    INTRODUCTION,
    section("Modes", [...modes, row("outlet MODE --help", "what a mode can do")]),
    section("Everywhere", [
      row("-h, --help", "this help"),
      row("-V, --version", "the version"),
      row("--mode MODE", "the same as the mode's word"),
    ]),
    section("Examples", Object.values(MODES).flatMap(({ examples }) => examples.map(example))),
    CLOSING,
  ]);
}

/** Sections, one below the other. */
export function page(sections: readonly string[]): string {
  return sections.join("\n\n") + "\n";
}

/** A title, and what is below it. */
export function section(title: string, rows: readonly string[]): string {
  return [`${title}:`, ...rows].join("\n");
}

/** A call, and what it does. */
export function example([call, does]: readonly [string, string]): string {
  return `  ${call}\n      ${does}`;
}

/** Two columns; the second is wrapped, and begins on a line of its own where the first is too wide. */
export function row(first: string, second: string): string {
  const lines: string[] = [];
  let line = `  ${first}`.padEnd(COLUMN);
  if (line.length > COLUMN) {
    lines.push(line);
    line = " ".repeat(COLUMN);
  }
  for (const word of second.split(" ")) {
    if (line.length + word.length > WIDTH && line.trim() !== "") {
      lines.push(line.trimEnd());
      line = " ".repeat(COLUMN);
    }
    line += word + " ";
  }
  return [...lines, line.trimEnd()].join("\n");
}
