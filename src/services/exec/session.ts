/**
 * A client and its program, from start to end.
 *
 * @module
 */
import { formatAddress, isUnix } from "../../endpoint/address.ts";
import type { Connection } from "../../connection/connection.ts";
import { quote } from "../../options/usage_error.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { faultOf } from "../../transport/errors.ts";
import { endsEnvironment, tlsEnvironment } from "./environment.ts";
import { type Exit, Program } from "./program.ts";
import type { SocketStarter } from "./spawn.ts";
import { type LineRate, tellLines } from "./stderr_log.ts";
import { whyNotStarted } from "./why_not.ts";

/** What all programs of an outlet have in common. */
export interface ExecSettings {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** What they find in their environment, besides what is known of their clients. */
  readonly env: Readonly<Record<string, string>> & { readonly PATH: string };
  /** Their working folder. */
  readonly cwd: string | undefined;
  /** What their stdin and stdout are. */
  readonly stdio: "pipes" | "socket";
  /** Who reads what they complain of. */
  readonly stderr: "log" | "client";
  /** How long one may take to end once its client has left, in milliseconds. */
  readonly killAfter: number;
  /** Counts their clients. */
  readonly clients: ClientCounter;
  /** How many of their complaints are told. */
  readonly rate: LineRate;
  /** Tells a complaint. */
  said(connection: Connection, line: string): void;
}

/**
 * Starts a program for the client and joins the two until it has ended, and all that it printed is sent.
 *
 * @throws {Error} `cannot run "bc": …` when it did not start
 */
export async function runSession(connection: Connection, settings: ExecSettings): Promise<void> {
  using client = settings.clients.enter(connection);
  using socket = settings.stdio === "socket" ? await openSocket() : undefined;
  const { command, env, cwd, killAfter } = settings;
  const program = new Program({
    command,
    env: { ...env, ...endsEnvironment(connection, client), ...tlsEnvironment(connection.notes) },
    cwd,
    start: socket?.start,
    killAfter,
  });
  connection.sink = { name: "program", flow: program };
  const feeding = feed(program, connection);
  let complaint: string | undefined;
  const tell = (line: string) => {
    complaint ??= line;
    settings.said(connection, line);
  };
  const exit = await untilEnd(program, {
    connection,
    stderr: settings.stderr === "log"
      ? tellLines(program.stderr.chunks(), { rate: settings.rate, tell })
      : send(program.stderr.chunks(), connection),
  });
  const [name = ""] = command;
  const why = whyNotStarted(name, { exit, complaint, searchPath: env.PATH });
  if (why !== undefined) throw new Error(`cannot run ${quote(name)}: ${why}`);
  connection.note("exit", exit);
  await connection.finish(feeding);
}

/** What starts a program with a socket for its stdin and stdout. It is loaded for those that want one alone. */
async function openSocket(): Promise<SocketStarter> {
  return await (await import("./socket_pair.ts")).openSocketPair() ??
    (await import("./node_socket.ts")).NODE_STARTER;
}

const tasks = new TaskScope("ending a program whose client has gone", {
  without: "it ends by itself, or when the server does",
});

/** Resolves once the program has ended, with all that it started, and what they wrote has gone where it belongs. */
async function untilEnd(
  program: Program,
  { connection, stderr }: { connection: Connection; stderr: Promise<void> },
): Promise<Exit> {
  const { closed } = connection;
  const end = tasks.guard(() => program.end());
  closed.addEventListener("abort", end);
  if (closed.aborted) end();
  try {
    await Promise.all([send(program.output.chunks(), connection), stderr, program.exited]);
  } finally {
    await program.end();
    closed.removeEventListener("abort", end);
  }
  return await program.exited;
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
async function send(chunks: AsyncIterable<Uint8Array>, connection: Connection): Promise<void> {
  try {
    for await (const chunk of chunks) await connection.write(chunk);
  } catch (error) {
    connection.close(faultOf(error));
  }
}

/** How many connections each host has. */
export class ClientCounter {
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
