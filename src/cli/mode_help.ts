/**
 * Help on one mode or one service, derived from the option tables.
 *
 * @module
 */
import { CLIENT_OPTIONS } from "../config/client_config.ts";
import { ADMISSION_OPTIONS } from "../config/admission_options.ts";
import { OUTLET_IDENTITY, OUTLET_OPTIONS } from "../config/outlet_options.ts";
import { TRACE_OPTIONS } from "../config/trace_config.ts";
import type { Option, OptionTable } from "../options/option.ts";
import { unknownName } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { CLOSING, exampleRows, type Page, type Section } from "./help.ts";
import { isMode, type ModeName, MODES } from "./modes.ts";
import { SERVER_FLAGS } from "./server_args.ts";

/** The options of each mode. */
const OPTIONS: Readonly<Record<ModeName, OptionTable>> = {
  server: SERVER_FLAGS,
  client: CLIENT_OPTIONS,
  trace: TRACE_OPTIONS,
};

/**
 * Help on a mode or a service.
 *
 * @throws {UsageError} where there is no such mode or service
 */
export function topicHelp(topic: string): Page {
  if (isMode(topic)) return modeHelp(topic);
  const service = SERVICES.get(topic);
  if (service) return serviceHelp(service);
  throw unknownName(topic, {
    noun: "help topic",
    choices: [...Object.keys(MODES), ...SERVICES.keys()],
  });
}

function modeHelp(name: ModeName): Page {
  const { summary, usage, offersServices, examples, legend = [] } = MODES[name];
  return [
    `outlet ${name}: ${summary}`,
    { title: "Usage", rows: usage.map((line) => `  ${line}`) },
    ...(offersServices ? [{ title: "Services", rows: serviceRows() }] : []),
    { title: "Options", rows: optionRows(OPTIONS[name], "--") },
    ...(legend.length > 0 ? [{ title: "Symbols", rows: legend }] : []),
    { title: "Examples", rows: exampleRows(examples) },
    ...CLOSING,
  ];
}

function serviceHelp(service: Service): Page {
  const { name, summary, options, command } = service;
  const examples = MODES.server.examples.filter(([call]) => call.includes(`${name}:`));
  const usage = `outlet server '${name}://[HOST]:PORT[?key=value&…]'`;
  return [
    `${name}: ${summary}`,
    {
      title: "Usage",
      rows: [
        `  ${usage}${command ? " -- PROGRAM ARGS…" : ""}`,
        `  outlet server '${name}+unix:///PATH[?…]'`,
      ],
    },
    ...(Object.keys(options).length > 0
      ? [{ title: "Options of the service", rows: optionRows(options, "?") }]
      : []),
    {
      title: "Options of every outlet",
      rows: optionRows({ ...OUTLET_IDENTITY, ...OUTLET_OPTIONS, ...ADMISSION_OPTIONS }, "?"),
    },
    ...(examples.length > 0 ? [{ title: "Examples", rows: exampleRows(examples) }] : []),
    ...CLOSING,
  ];
}

function serviceRows(): Section["rows"] {
  return [...SERVICES.values()].flatMap(({ name, summary, options }) => [
    [name, summary] as const,
    ...optionRows(options, "  ?"),
  ]);
}

function optionRows(table: OptionTable, prefix: string): (readonly [string, string])[] {
  return Object.entries(table).map((
    [name, option],
  ) => [optionColumn(name, option, prefix), summaryColumn(option)]);
}

function optionColumn(name: string, { placeholder, short }: Option, prefix: string): string {
  const value = placeholder === undefined ? "" : (prefix === "--" ? " " : "=") + placeholder;
  return `${short && prefix === "--" ? `-${short}, ` : ""}${prefix}${name}${value}`;
}

function summaryColumn({ summary, default: value, defaultText, repeats, needs }: Option): string {
  const shown = defaultText ?? (value === undefined || value === false ? undefined : String(value));
  const notes = [
    ...(needs ? [`with ${needs.join(" or ")}`] : []),
    ...(repeats ? ["repeatable"] : []),
    ...(shown && !repeats ? [`default: ${value === true ? "on" : shown}`] : []),
  ];
  return notes.length > 0 ? `${summary} (${notes.join("; ")})` : summary;
}
