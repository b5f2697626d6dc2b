/**
 * Starting a program as the leader of a process group, with pipes or a socket in its hands.
 *
 * @module
 */
import { spawn as spawnWithStreams } from "node:child_process";
import { type Duplex, Readable } from "node:stream";
import { quote } from "../options/usage_error.ts";
import { explain } from "../socket/faults.ts";
import { findProgram } from "./find_program.ts";
import { socketStreams } from "./socket_streams.ts";

/** What to run, and how. */
export interface SpawnOptions {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Its whole environment; `PATH` is also where the program is looked for. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working folder; the server's own where it is not said. */
  readonly cwd?: string | undefined;
  /** What its stdin and stdout are: two pipes, or one socket, which a few programs insist on. */
  readonly stdio: "pipes" | "socket";
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

/** Where a call to start something ends up: the file, its arguments, and all the rest. */
interface Call {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd?: string;
  readonly detached: boolean;
}

/**
 * Makes descriptor 3 stdin and stdout, and becomes the program: neither Deno nor any other tool that every
 * system has can do that. The program's own words are handed through unread.
 */
const MOVE_DESCRIPTORS = ["/bin/sh", "-c", 'exec "$@" 0<&3 1>&3 3>&-', "sh"] as const;

/**
 * Starts the program.
 *
 * @throws {Error} `cannot run "bc": …` when it can't be started
 */
export function spawn({ command: [name = "", ...args], env, cwd, stdio }: SpawnOptions): Started {
  const file = findProgram(name, env.PATH ?? "");
  if (file === undefined) throw cannotRun(name, "no such program, or no permission to run it");
  const words = stdio === "socket" ? [...MOVE_DESCRIPTORS, file, ...args] : [file, ...args];
  try {
    const call = { ...leading(words, env), ...cwd === undefined ? {} : { cwd } };
    return stdio === "socket" ? withSocket(call) : withPipes(call);
  } catch (error) {
    throw cannotRun(name, explain(error).replace(/^Failed to spawn '.*?': /, ""));
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

function withSocket({ file, args, ...call }: Call): Started {
  const child = spawnWithStreams(file, [...args], {
    ...call,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const socket = socketStreams(child.stdio[3] as unknown as Duplex);
  return {
    pid: child.pid!,
    stdin: socket.writable,
    stdout: socket.readable,
    stderr: Readable.toWeb(child.stderr!) as ReadableStream<Uint8Array<ArrayBuffer>>,
    status: new Promise((resolve) =>
      child.on(
        "exit",
        (code, signal) => resolve({ code: code ?? 0, signal: signal as Deno.Signal | null }),
      )
    ),
  };
}

function cannotRun(name: string, why: string): Error {
  return new Error(`cannot run ${quote(name)}: ${why}`);
}
