import {
  choice,
  DURATION,
  folder,
  option,
  type OptionKind,
  TEXT,
  words,
} from "../../options/option.ts";
import { UsageError } from "../../options/usage_error.ts";
import { endsEnvironment, passedEnvironment, tlsEnvironment } from "./environment.ts";
import { refuseProgram } from "./refuse_program.ts";
import { Program } from "./program.ts";
import type { Connection } from "../../connection/connection.ts";
import { faultOf } from "../../transport/errors.ts";
import { lines } from "../../connection/lines.ts";
import { formatAddress, isUnix } from "../../endpoint/address.ts";
import { type Service, service } from "../service.ts";

/** The longest line of stderr that is told, in bytes. */
const LINE_LIMIT = 4 * 1024;

/** Where programs are looked for when outlet itself has no `PATH`. */
const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

const VARIABLE: OptionKind<string> = {
  expects: "NAME or NAME=VALUE",
  placeholder: "NAME[=VALUE]",
  read: (word) => /^[A-Za-z_]\w*(=|$)/.test(word) ? word : undefined,
};

/** A program's name, or where it is. */
const PROGRAM: OptionKind<string> = {
  ...TEXT,
  expects: "a program",
  placeholder: "PROGRAM",
  path: "run",
};

/** The program, or one of its arguments, which may be empty. */
const WORD: OptionKind<string> = {
  expects: "text",
  placeholder: "WORD",
  path: "run",
  read: (word) => word,
};

/** Runs a program for every client: what the client sends is its stdin, what it prints goes to the client. */
export const exec: Service = service({
  name: "exec",
  summary: "runs a program for every client, who talks to its stdin and stdout",
  // Three pipes, and what tells of the program's end.
  descriptors: 4,
  options: {
    run: option(PROGRAM, "the program, where it needs no arguments", { excludes: ["command"] }),
    command: words(WORD, "the program and its arguments; the words behind -- are the same"),
    env: words(VARIABLE, "a variable to set, or one of outlet's own to pass on"),
    cwd: option(folder("work-in"), "its working folder"),
    stdio: option(
      choice(["pipes", "socket"]),
      "what its stdin and stdout are: a few programs insist on a socket (rsync --daemon)",
      { default: "pipes" },
    ),
    stderr: option(choice(["log", "client"]), "where its complaints go", { default: "log" }),
    "kill-after": option(DURATION, "how long it may take to end once its client has left", {
      default: 5_000,
      defaultText: "5s",
    }),
  },
  command: "command",
  check({ run, command }) {
    if (run === undefined && command.length === 0) {
      throw new UsageError("exec needs a program: run or command, or -- PROGRAM ARGS… at the end");
    }
  },
  preflight({ run, command: [first = ""], env }) {
    refuseProgram(run ?? first, searchPath(env));
  },
  open({ run, command, env, cwd, stdio, stderr, "kill-after": killAfter }, { said }) {
    const words = run === undefined ? command : [run];
    const passed = { ...passedEnvironment(env), PATH: searchPath(env) };
    const start = stdio === "socket"
      ? import("./with_socket.ts").then(({ withSocket }) => withSocket)
      : undefined;
    const guests = new ClientCounter();
    return async (connection) => {
      using guest = guests.enter(connection);
      const program = new Program({
        command: words,
        env: {
          ...passed,
          ...endsEnvironment(connection, guest),
          ...tlsEnvironment(connection.notes),
        },
        cwd,
        start: await start,
        killAfter,
      });
      await runProgram(connection, {
        program,
        onStderrLine: stderr === "log" ? (text) => said(connection, text) : undefined,
      });
    };
  },
});

/** Where programs are looked for: where the client's program looks for others, too. */
function searchPath(env: readonly string[]): string {
  return { PATH: SEARCH_PATH, ...passedEnvironment(["PATH"]), ...passedEnvironment(env) }.PATH;
}

/** A client and its program; without `complain` the client reads its complaints too. */
interface Session {
  readonly program: Program;
  readonly onStderrLine: ((line: string) => void) | undefined;
}

async function runProgram(
  connection: Connection,
  { program, onStderrLine: complain }: Session,
): Promise<void> {
  const { closed: gone } = connection;
  const leave = () => void program.end();
  if (gone.aborted) leave();
  gone.addEventListener("abort", leave);
  const write = complain
    ? (bytes: Uint8Array) => connection.write(bytes)
    : inTurn((bytes) => connection.write(bytes));
  const feeding = feed(program, connection);
  const printing = Promise.all([
    carry(program.output.chunks(), { connection, write }),
    complain
      ? tell(program.stderr.chunks(), complain)
      : carry(program.stderr.chunks(), { connection, write }),
    program.exited,
  ]);
  await printing.finally(() => program.end());
  connection.note("exit", await program.exited);
  gone.removeEventListener("abort", leave);
  await connection.finish(feeding);
}

/** What the client sends goes to the program; a client that is gone ends it. */
async function feed(program: Program, connection: Connection): Promise<void> {
  try {
    await connection.forEachChunk((chunk) => program.write(chunk));
    await program.endInput();
  } catch (error) {
    connection.close(faultOf(error));
  }
}

/** What the program prints goes to the client, to its last byte. */
async function carry(
  chunks: AsyncIterable<Uint8Array>,
  { connection, write }: { connection: Connection; write(bytes: Uint8Array): Promise<void> },
): Promise<void> {
  try {
    for await (const chunk of chunks) await write(chunk);
  } catch (error) {
    connection.close(faultOf(error));
  }
}

async function tell(
  chunks: AsyncIterable<Uint8Array>,
  complain: (line: string) => void,
): Promise<void> {
  for await (const { text, cut } of lines(chunks, { limit: LINE_LIMIT })) {
    complain(cut ? `${text}…` : text);
  }
}

/** One writer at a time, for a connection that two streams flow into. */
function inTurn(
  write: (bytes: Uint8Array) => Promise<void>,
): (bytes: Uint8Array) => Promise<void> {
  let last = Promise.resolve();
  return (bytes) => last = last.then(() => write(bytes));
}

/** How many connections each host has. */
class ClientCounter {
  readonly #counts = new Map<string, number>();

  /** Counts a connection until it is disposed. */
  enter({ peer }: Connection): Disposable & { readonly count: number } {
    const host = isUnix(peer) ? formatAddress(peer) : peer.hostname;
    const count = (this.#counts.get(host) ?? 0) + 1;
    this.#counts.set(host, count);
    return { count, [Symbol.dispose]: () => this.#leave(host) };
  }

  #leave(host: string): void {
    const left = this.#counts.get(host)! - 1;
    if (left > 0) this.#counts.set(host, left);
    else this.#counts.delete(host);
  }
}
