/**
 * Starting a program as the leader of a process group.
 *
 * @module
 */
import { quote } from "../../options/usage_error.ts";
import { explain } from "../../transport/errors.ts";
import { findProgram, isFolder } from "./find_program.ts";

/** What to run, and how. */
export interface SpawnOptions {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Its whole environment; `PATH` is also where the program is looked for. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working folder; the server's own where it is not said. */
  readonly cwd?: string | undefined;
  /** What starts it, which decides what its stdin and stdout are: pipes, where it is not said. */
  readonly start?: Starter | undefined;
}

/** A program that was started. */
export interface Started {
  /** Its process, and the group that it leads. */
  readonly pid: number;
  /** What it reads. */
  readonly stdin: WritableStream<Uint8Array>;
  /** What it writes. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What it complains of. */
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Resolves when it has ended. */
  readonly status: Promise<{ readonly code: number; readonly signal: Deno.Signal | null }>;
}

/** What is to be started, to the letter. */
export interface Call {
  /** The program's file. */
  readonly file: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Record<string, string>;
  /** Its working folder. */
  readonly cwd?: string;
  /** Whether it still has to be made the leader of a group. */
  readonly detached: boolean;
}

/** Starts what is called for, and joins it to streams. Throws the system's error when it can't be. */
export type Starter = (call: Call) => Started;

/** What starts one program and gives back what that takes, also where it was never called. */
export interface SocketStarter extends Disposable {
  /** Starts the program. */
  readonly start: Starter;
}

/**
 * Starts the program.
 *
 * @throws {Error} `cannot run "bc": …` when it can't be started
 */
export function spawn(
  { command: [name = "", ...args], env, cwd, start = withPipes }: SpawnOptions,
): Started {
  const file = findProgram(name, env.PATH ?? "");
  if (file === undefined) throw cannotRun(name, "no such program, or no permission to run it");
  if (cwd !== undefined && !isFolder(cwd)) {
    throw cannotRun(name, `there is no working folder ${quote(cwd)}`);
  }
  try {
    return start({ ...leading([file, ...args], env), ...cwd === undefined ? {} : { cwd } });
  } catch (error) {
    throw cannotRun(name, explain(error));
  }
}

/**
 * The words, so that they lead a group: through `setsid` where the system has it. Deno's own `detached` forks,
 * which copies the page tables of the whole server and costs several times as much as a spawn.
 */
function leading(
  [file = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Call {
  setsid ??= findProgram("setsid", SYSTEM_PATH) ?? "none";
  return setsid === "none"
    ? { file, args, env, detached: true }
    : { file: setsid, args: [file, ...args], env, detached: false };
}

/** Where the system's own tools are. */
const SYSTEM_PATH = "/usr/bin:/bin";

/** Where `setsid` is, once it was looked for. */
let setsid: string | undefined;

function withPipes({ file, args, ...call }: Call): Started {
  return new Deno.Command(file, {
    ...call,
    args: [...args],
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function cannotRun(name: string, why: string): Error {
  return new Error(`cannot run ${quote(name)}: ${why}`);
}
