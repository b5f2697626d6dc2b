/**
 * From the words on the command line to what is to be done.
 *
 * @module
 */
import type { ClientConfig } from "../config/client_config.ts";
import type { TraceConfig } from "../config/trace_config.ts";
import { quote, unknownWord, UsageError } from "../options/usage_error.ts";
import { layOut, overview } from "./help.ts";
import { isMode, type ModeName, MODES } from "./modes.ts";
import type { ServerCommand } from "./server_args.ts";

/** The columns of help where no terminal has another number. */
const DEFAULT_WIDTH = 80;

/** What is to be done. */
export type Command =
  | { readonly mode: "help"; readonly text: string }
  | { readonly mode: "version" }
  | { readonly mode: "server" } & ServerCommand
  | { readonly mode: "client"; readonly config: ClientConfig }
  | { readonly mode: "trace"; readonly config: TraceConfig };

/**
 * Reads the words on the command line. What reads those of a mode is loaded for that mode.
 *
 * @throws {UsageError} in one line that names the word at fault and what was expected
 */
export async function readCommand(
  args: readonly string[],
  { width = DEFAULT_WIDTH }: { width?: number | undefined } = {},
): Promise<Command> {
  if (args[0] === "help") return { mode: "help", text: await helpOn(args.slice(1), width) };
  const end = args.indexOf("--");
  const asks = (...flags: string[]) =>
    args.some((word, at) => flags.includes(word) && (end === -1 || at < end));
  if (asks("--version", "-V")) return { mode: "version" };
  const { mode, rest } = splitMode(args);
  if (asks("--help", "-h")) return { mode: "help", text: await helpOn(mode ? [mode] : [], width) };
  switch (mode) {
    case "server": {
      const { readServer } = await import("./server_args.ts");
      return { mode, ...readServer(rest) };
    }
    case "client": {
      const { readClient } = await import("./client_args.ts");
      return { mode, config: readClient(rest) };
    }
    case "trace": {
      const { readTrace } = await import("./trace_args.ts");
      return { mode, config: readTrace(rest) };
    }
    default:
      throw new UsageError(`expected a mode, ${modeNames().join(" or ")}; see outlet --help`);
  }
}

/** Help on a mode or a service, or on all modes. */
async function helpOn([topic, surplus]: readonly string[], width: number): Promise<string> {
  if (surplus !== undefined) {
    throw new UsageError(`${quote(surplus)}: there is help on one thing at a time`);
  }
  if (topic === undefined || topic.startsWith("-")) return layOut(overview(), width);
  const { topicHelp } = await import("./mode_help.ts");
  return layOut(topicHelp(topic), width);
}

/** The mode, which is the first word or stands behind `--mode`, and the rest of the arguments. */
function splitMode(
  args: readonly string[],
): { mode: ModeName | undefined; rest: readonly string[] } {
  const [first, ...others] = args;
  // Behind the name of a mode, --mode is an option of that mode.
  if (first !== undefined && isMode(first)) return { mode: first, rest: others };
  const end = args.indexOf("--");
  const flag = args.findIndex((word, at) => /^--mode(=|$)/.test(word) && (end === -1 || at < end));
  if (flag !== -1) {
    const inline = /^--mode=(.*)$/.exec(args[flag]!)?.[1];
    const name = inline ?? args[flag + 1];
    if (name === undefined) {
      throw new UsageError(`--mode: expected ${modeNames().join(" or ")}, and nothing follows it`);
    }
    return {
      mode: readMode(name),
      rest: args.toSpliced(flag, inline === undefined ? 2 : 1),
    };
  }
  if (first === undefined || first.startsWith("-")) return { mode: undefined, rest: args };
  return { mode: readMode(first), rest: others };
}

function readMode(name: string): ModeName {
  if (isMode(name)) return name;
  throw unknownWord(name, { noun: "mode", words: modeNames() });
}

function modeNames(): string[] {
  return Object.keys(MODES);
}
