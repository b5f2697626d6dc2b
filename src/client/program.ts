/**
 * Joins the connection of a client to a program (`ncat -e`, `tcpclient`).
 *
 * @module
 */
import type { ClientOptions } from "../config/client_config.ts";
import type { Connection } from "../connection/connection.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import {
  addressEnvironment,
  tlsEnvironment,
  withoutConnection,
} from "../services/exec/environment.ts";
import { exitCodeOf } from "../services/exec/exit_code.ts";
import { joinProgram } from "../services/exec/join.ts";
import { type Exit, Program } from "../services/exec/program.ts";
import { programFault } from "../services/exec/program_fault.ts";
import { isUntrusted } from "./connect.ts";
import { withRetry } from "./retry.ts";
import { withDescriptors, withPipes } from "./program_streams.ts";

/** The time between `SIGTERM` and `SIGKILL` when the connection has ended before the program, in milliseconds. */
const KILL_AFTER = 5_000;

const tasks = new TaskScope("ending a program on a signal", {
  consequence: "a second signal ends outlet",
});

/** A program has ended with another exit code than 0. */
export class ProgramFailed extends Error {
  /** Its exit code; 128 and the signal's number if a signal has ended it. */
  readonly code: number;

  /** Says how it ended. */
  constructor(name: string, exit: Exit) {
    super(`${quote(name)} ended with ${typeof exit === "number" ? `exit code ${exit}` : exit}`);
    this.code = exitCodeOf(exit);
  }
}

/**
 * Refuses a program that cannot be started.
 *
 * @throws {UsageError} which says why
 */
export function checkProgram(
  { command: [name = ""], ucspi }: Pick<ClientOptions, "command" | "ucspi">,
): void {
  if (ucspi && Deno.build.os === "windows") {
    throw new UsageError("--ucspi: Windows has no descriptors 6 and 7 to give to a program");
  }
  const fault = programFault(name, Deno.env.get("PATH") ?? "");
  if (fault !== undefined) throw new UsageError(`cannot run ${quote(name)}: ${fault}`);
}

/** What a program is run with. */
export interface ProgramParts {
  /** The notes of the TLS session, if there is one. */
  readonly tls: Readonly<Record<string, string>>;
  /** Aborted to end the program. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs the program on the connection until it has exited and its output is sent.
 *
 * @throws {ProgramFailed} if its exit code is not 0
 */
export async function runProgram(
  connection: Connection,
  { command, ucspi }: Pick<ClientOptions, "command" | "ucspi">,
  { tls, signal }: ProgramParts,
): Promise<void> {
  const program = new Program({
    command,
    env: {
      ...withoutConnection(Deno.env.toObject()),
      ...addressEnvironment(connection),
      ...tlsEnvironment(tls),
    },
    ownGroup: false,
    start: ucspi ? await withDescriptors() : withPipes,
    killAfter: KILL_AFTER,
  });
  const stop = tasks.guard(() => connection.close("closed by us"));
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  try {
    const stderr = Promise.resolve();
    const { exit, reading } = await joinProgram(program, connection, { stderr, halfClose: true });
    await ended(connection, { name: command[0]!, exit, reading });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Closes the connection, and throws what has failed: the connection, or else the program. */
async function ended(
  connection: Connection,
  { name, exit, reading }: { name: string; exit: Exit; reading: Promise<void> },
): Promise<void> {
  const { isClosed, reason } = connection;
  if (isClosed && reason !== "closed by us") throw new Error(`the connection failed: ${reason}`);
  const failed = exit === 0 ? undefined : new ProgramFailed(name, exit);
  await connection.finish(reading).catch((error) => {
    throw failed ?? error;
  });
  if (failed) throw failed;
}

/**
 * Runs sessions until one succeeds, as often as `--retry` says.
 *
 * @returns the exit code of the last program
 * @throws {Error} if the last one failed for another reason
 */
export async function repeat(
  session: () => Promise<void>,
  { options, log, signal }: {
    options: ClientOptions;
    log(line: string): void;
    signal: AbortSignal | undefined;
  },
): Promise<number> {
  try {
    await withRetry(session, {
      retries: options.retry,
      delay: options["retry-delay"],
      signal,
      isFinal: (error) => error instanceof UsageError || isUntrusted(error),
      log,
    });
    return 0;
  } catch (error) {
    if (error instanceof ProgramFailed) return error.code;
    throw error;
  }
}
