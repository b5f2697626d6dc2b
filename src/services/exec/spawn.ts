/**
 * Starts programs, each as the leader of a process group.
 *
 * @module
 */
import { quote } from "../../options/usage_error.ts";
import { explain } from "../../transport/errors.ts";
import { findProgram, isDirectory } from "./find_program.ts";

/** How to start a program. */
export interface SpawnOptions {
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[];
  /** Its environment; it is looked up in `PATH`. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory; the server's by default. */
  readonly cwd?: string | undefined;
  /** Whether it leads a process group of its own, which it does by default. */
  readonly ownGroup?: boolean | undefined;
  /** Starts it, with pipes by default. */
  readonly start?: Starter | undefined;
}

/** A started program. */
export interface SpawnedProgram {
  /** Its process id, which is also its process group id. */
  readonly pid: number;
  /** Its stdin. */
  readonly stdin: WritableStream<Uint8Array>;
  /** Its stdout. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Its stderr. */
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Resolves when it has exited. */
  readonly status: Promise<{ readonly code: number; readonly signal: Deno.Signal | null }>;
}

/** The arguments of execve(2), and how to make a process group. */
export interface SpawnCall {
  /** The path of the executable. */
  readonly file: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its environment. */
  readonly env: Record<string, string>;
  /** Its working directory. */
  readonly cwd?: string;
  /** Whether the runtime must make it a group leader. */
  readonly detached: boolean;
}

/** Starts a program with streams. Throws the system's error where it cannot. */
export type Starter = (call: SpawnCall) => SpawnedProgram;

/** Starts one program with a socket. Disposing it closes the socket if it was not used. */
export interface SocketStarter extends Disposable {
  /** Starts the program. */
  readonly start: Starter;
}

/**
 * Starts the program.
 *
 * @throws {Error} `cannot run "bc": …` where it cannot be started
 */
export function spawn(
  { command: [name = "", ...args], env, cwd, ownGroup = true, start = withPipes }: SpawnOptions,
): SpawnedProgram {
  const file = findProgram(name, env.PATH ?? "");
  if (file === undefined) throw cannotRun(name, "no such program, or no permission to run it");
  if (cwd !== undefined && !isDirectory(cwd)) {
    throw cannotRun(name, `no such working directory: ${quote(cwd)}`);
  }
  try {
    const call = ownGroup
      ? asGroupLeader([file, ...args], env)
      : { file, args, env, detached: false };
    return start({ ...call, ...cwd === undefined ? {} : { cwd } });
  } catch (error) {
    throw cannotRun(name, explain(error));
  }
}

/**
 * Makes the program a group leader by running it through `setsid`, if the system has it. Deno's own `detached` uses
 * fork(2), which copies the page tables of the server and takes several times as long.
 */
function asGroupLeader(
  [file = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): SpawnCall {
  setsid ??= findProgram("setsid", SYSTEM_PATH) ?? "none";
  return setsid === "none"
    ? { file, args, env, detached: true }
    : { file: setsid, args: [file, ...args], env, detached: false };
}

/** The search path for `setsid`. */
const SYSTEM_PATH = "/usr/bin:/bin";

/** The path of `setsid`, or `none`; `undefined` before the first search. */
let setsid: string | undefined;

function withPipes({ file, args, ...call }: SpawnCall): SpawnedProgram {
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
