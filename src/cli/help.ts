/**
 * Help, written from the tables that parse.
 *
 * @module
 */
import type { Option, OptionTable } from "../options/option.ts";
import { SERVICES } from "../services/registry.ts";
import { isMode, MODES } from "./modes.ts";

const INTRODUCTION =
  `outlet turns a machine into a room full of sockets: every port an outlet, every
outlet a service, and a connection of its own for every client that plugs in.`;

const CLOSING =
  `Durations are 500ms, 30s, 5m or 2h; a bare number is seconds. Sizes are 4096, 64k or 16M.
Exit codes: 0 done, 1 the network or the system refused, 2 wrong usage.`;

/** Where the second column begins, and where lines end. */
const COLUMN = 28;
const WIDTH = 92;

/** Help on one mode, or on all of them. */
export function helpText(mode: string | undefined): string {
  const sections = mode !== undefined && isMode(mode) ? modeHelp(mode) : overview();
  return sections.join("\n\n") + "\n";
}

function overview(): string[] {
  const modes = Object.entries(MODES).map(([name, { summary }]) => row(`outlet ${name}`, summary));
  return [
    INTRODUCTION,
    section("Modes", [...modes, row("outlet MODE --help", "what a mode can do")]),
    section("Everywhere", [
      row("-h, --help", "this help"),
      row("-V, --version", "the version"),
      row("--mode MODE", "the same as the mode's word"),
    ]),
    section("Examples", Object.values(MODES).flatMap(({ examples }) => examples.map(example))),
    CLOSING,
  ];
}

function modeHelp(name: keyof typeof MODES): string[] {
  const { summary, usage, options, offersServices, examples } = MODES[name];
  return [
    `outlet ${name}: ${summary}`,
    section("Usage", usage.map((line) => `  ${line}`)),
    ...(offersServices ? [section("Services", serviceRows())] : []),
    section("Options", optionRows(options, "--")),
    section("Examples", examples.map(example)),
    CLOSING,
  ];
}

function serviceRows(): string[] {
  return [...SERVICES.values()].flatMap(({ name, summary, options }) => [
    row(name, summary),
    ...optionRows(options, "  ?"),
  ]);
}

function optionRows(table: OptionTable, prefix: string): string[] {
  return Object.entries(table).map(([name, option]) =>
    row(left(name, option, prefix), right(option))
  );
}

function left(name: string, { placeholder, short }: Option, prefix: string): string {
  const value = placeholder === undefined ? "" : (prefix === "--" ? " " : "=") + placeholder;
  return `${short ? `-${short}, ` : ""}${prefix}${name}${value}`;
}

function right({ summary, default: value, defaultText, repeats }: Option): string {
  const shown = defaultText ?? (value === undefined || value === false ? undefined : String(value));
  const notes = [
    ...(repeats ? ["repeatable"] : []),
    ...(shown && !repeats ? [`default: ${value === true ? "on" : shown}`] : []),
  ];
  return notes.length > 0 ? `${summary} (${notes.join("; ")})` : summary;
}

function section(title: string, rows: readonly string[]): string {
  return [`${title}:`, ...rows].join("\n");
}

function example([call, does]: readonly [string, string]): string {
  return `  ${call}\n      ${does}`;
}

/** Two columns; the second is wrapped, and begins on a line of its own where the first is too wide. */
function row(first: string, second: string): string {
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
