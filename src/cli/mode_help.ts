/**
 * Help on one mode, written from the tables that parse.
 *
 * @module
 */
import { CLIENT_OPTIONS } from "../config/client_config.ts";
import { TRACE_OPTIONS } from "../config/trace_config.ts";
import type { Option, OptionTable } from "../options/option.ts";
import { SERVICES } from "../services/registry.ts";
import { CLOSING, example, page, row, section } from "./help.ts";
import { type ModeName, MODES } from "./modes.ts";
import { SERVER_FLAGS } from "./server_args.ts";

/** The flags of each mode. */
const OPTIONS: Readonly<Record<ModeName, OptionTable>> = {
  server: SERVER_FLAGS,
  client: CLIENT_OPTIONS,
  trace: TRACE_OPTIONS,
};

/** Help on one mode. */
export function modeHelp(name: ModeName): string {
  const { summary, usage, offersServices, examples } = MODES[name];
  return page([
    `outlet ${name}: ${summary}`,
    section("Usage", usage.map((line) => `  ${line}`)),
    ...(offersServices ? [section("Services", serviceRows())] : []),
    section("Options", optionRows(OPTIONS[name], "--")),
    section("Examples", examples.map(example)),
    CLOSING,
  ]);
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

function right({ summary, default: value, defaultText, repeats, needs }: Option): string {
  const shown = defaultText ?? (value === undefined || value === false ? undefined : String(value));
  const notes = [
    ...(needs ? [`with ${needs.join(" or ")}`] : []),
    ...(repeats ? ["repeatable"] : []),
    ...(shown && !repeats ? [`default: ${value === true ? "on" : shown}`] : []),
  ];
  return notes.length > 0 ? `${summary} (${notes.join("; ")})` : summary;
}
