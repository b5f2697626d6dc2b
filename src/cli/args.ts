/**
 * Parses the command line into a command.
 *
 * @module
 */
import type { ClientConfig } from "../config/client_config.ts";
import type { TraceConfig } from "../config/trace_config.ts";
import { quote, unknownWord, UsageError } from "../options/usage_error.ts";
import { layOut, overview } from "./help.ts";
import { isMode, type ModeName, MODES } from "./modes.ts";
import type { AddUserCommand, ServerCommand } from "./server_args.ts";

/** The width of help, in columns, where the terminal's is unknown. */
const DEFAULT_WIDTH = 80;

/** What the program is asked to run. */
export type Command =
  | { readonly mode: "help"; readonly text: string }
  | { readonly mode: "version" }
  | { readonly mode: "server" } & (ServerCommand | AddUserCommand)
  | { readonly mode: "client"; readonly config: ClientConfig }
  | { readonly mode: "trace"; readonly config: TraceConfig };

/**
 * Parses the arguments. The parser of a mode is loaded with the mode.
 *
 * @throws {UsageError} whose one-line message names the argument and what was expected
 */
export async function parseCommand(
  args: readonly string[],
  { width = DEFAULT_WIDTH }: { width?: number | undefined } = {},
): Promise<Command> {
  if (args[0] === "help") return { mode: "help", text: await helpFor(args.slice(1), width) };
  const end = args.indexOf("--");
  const has = (...flags: string[]) =>
    args.some((word, at) => flags.includes(word) && (end === -1 || at < end));
  if (has("--version", "-V")) return { mode: "version" };
  const { mode, rest } = splitMode(args);
  if (has("--help", "-h")) return { mode: "help", text: await helpFor(mode ? [mode] : [], width) };
  switch (mode) {
    case "server": {
      const { parseServerArgs: readServer } = await import("./server_args.ts");
      return { mode, ...readServer(rest) };
    }
    case "client": {
      const { parseClientArgs: readClient } = await import("./client_args.ts");
      return { mode, config: readClient(rest) };
    }
    case "trace": {
      const { parseTraceArgs: readTrace } = await import("./trace_args.ts");
      return { mode, config: readTrace(rest) };
    }
    default:
      throw new UsageError(`expected a mode, ${modeNames().join(" or ")}; see outlet --help`);
  }
}

/** Help on a mode or a service, or the overview. */
async function helpFor([topic, extra]: readonly string[], width: number): Promise<string> {
  if (extra !== undefined) {
    throw new UsageError(`${quote(extra)}: outlet help takes one topic`);
  }
  if (topic === undefined || topic.startsWith("-")) return layOut(overview(), width);
  const { topicHelp } = await import("./mode_help.ts");
  return layOut(topicHelp(topic), width);
}

/** Splits off the mode: the first argument, or the value of `--mode`. */
function splitMode(
  args: readonly string[],
): { mode: ModeName | undefined; rest: readonly string[] } {
  const [first, ...others] = args;
  // After the name of a mode, --mode is an option of that mode.
  if (first !== undefined && isMode(first)) return { mode: first, rest: others };
  const end = args.indexOf("--");
  const flag = args.findIndex((word, at) => /^--mode(=|$)/.test(word) && (end === -1 || at < end));
  if (flag !== -1) {
    const inline = /^--mode=(.*)$/.exec(args[flag]!)?.[1];
    const name = inline ?? args[flag + 1];
    if (name === undefined) {
      throw new UsageError(`--mode: expected ${modeNames().join(" or ")}`);
    }
    return {
      mode: parseMode(name),
      rest: args.toSpliced(flag, inline === undefined ? 2 : 1),
    };
  }
  if (first === undefined || first.startsWith("-")) return { mode: undefined, rest: args };
  return { mode: parseMode(first), rest: others };
}

function parseMode(name: string): ModeName {
  if (isMode(name)) return name;
  throw unknownWord(name, { noun: "mode", choices: modeNames() });
}

function modeNames(): string[] {
  return Object.keys(MODES);
}
