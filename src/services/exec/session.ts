/**
 * Serves one client with a program.
 *
 * @module
 */
import { formatAddress, isUnix } from "../../endpoint/address.ts";
import type { Connection } from "../../connection/connection.ts";
import { quote } from "../../options/usage_error.ts";
import { addressEnvironment, tlsEnvironment } from "./environment.ts";
import { copyToConnection, joinProgram } from "./join.ts";
import { Program } from "./program.ts";
import type { SocketStarter } from "./spawn.ts";
import { type LineRate, logLines } from "./stderr_log.ts";
import { startFailure } from "./start_failure.ts";

/** The settings of one outlet's programs. */
export interface ExecSettings {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Its environment, without the variables about the client. */
  readonly env: Readonly<Record<string, string>> & { readonly PATH: string };
  /** Its working directory. */
  readonly cwd: string | undefined;
  /** The type of its stdin and stdout. */
  readonly stdio: "pipes" | "socket";
  /** Where its stderr goes. */
  readonly stderr: "log" | "client";
  /** The time between `SIGTERM` and `SIGKILL` when the client has disconnected, in milliseconds. */
  readonly killAfter: number;
  /** Counts connections by client address. */
  readonly clients: ClientCounter;
  /** Limits the lines of stderr in the log. */
  readonly rate: LineRate;
  /** Logs a line of stderr. */
  output(connection: Connection, line: string): void;
}

/**
 * Runs a program for the client, until it has exited and all its output is sent.
 *
 * @throws {Error} `cannot run "bc": …` where it did not start
 */
export async function runSession(connection: Connection, settings: ExecSettings): Promise<void> {
  using client = settings.clients.enter(connection);
  using socket = settings.stdio === "socket" ? await openSocket() : undefined;
  const { command, env, cwd, killAfter } = settings;
  const program = new Program({
    command,
    env: { ...env, ...addressEnvironment(connection, client), ...tlsEnvironment(connection.notes) },
    cwd,
    start: socket?.start,
    killAfter,
  });
  connection.sink = { name: "program", flow: program };
  let firstLine: string | undefined;
  const log = (line: string) => {
    firstLine ??= line;
    settings.output(connection, line);
  };
  const { exit, reading } = await joinProgram(program, connection, {
    stderr: settings.stderr === "log"
      ? logLines(program.stderr.chunks(), { rate: settings.rate, log })
      : copyToConnection(program.stderr.chunks(), connection),
  });
  const [name = ""] = command;
  const failure = startFailure(name, { exit, stderr: firstLine, searchPath: env.PATH });
  if (failure !== undefined) throw new Error(`cannot run ${quote(name)}: ${failure}`);
  connection.note("exit", exit);
  await connection.finish(reading);
}

/** Starts a program with a socket for stdin and stdout. Loaded only for that. */
async function openSocket(): Promise<SocketStarter> {
  return await (await import("./socket_pair.ts")).openSocketPair() ??
    (await import("./node_socket.ts")).NODE_STARTER;
}

/** Counts connections by client address. */
export class ClientCounter {
  readonly #counts = new Map<string, number>();

  /** Counts a connection until the result is disposed. */
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
