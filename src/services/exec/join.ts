/**
 * Joins a program's stdin and stdout to a connection.
 *
 * @module
 */
import type { Connection } from "../../connection/connection.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { faultOf } from "../../transport/errors.ts";
import type { Exit, Program } from "./program.ts";

const tasks = new TaskScope("ending a program whose connection has ended", {
  consequence: "it continues until it ends by itself, or outlet stops",
});

/** How a program is joined to a connection. */
export interface JoinOptions {
  /** Resolves when its stderr is read to the end. */
  readonly stderr: Promise<void>;
  /** Whether a FIN is sent as soon as the program closes its stdout. */
  readonly halfClose?: boolean;
}

/** The end of a program that was joined to a connection. */
export interface JoinedEnd {
  /** How it ended. */
  readonly exit: Exit;
  /** The read loop, which ends at the peer's FIN. */
  readonly reading: Promise<void>;
}

/**
 * Copies both ways until the program has exited and all its output is written. The end of the connection ends the
 * program; the connection is left open.
 */
export async function joinProgram(
  program: Program,
  connection: Connection,
  { stderr, halfClose = false }: JoinOptions,
): Promise<JoinedEnd> {
  const reading = copyToProgram(program, connection);
  const { closed } = connection;
  const end = tasks.guard(() => program.end());
  closed.addEventListener("abort", end);
  if (closed.aborted) end();
  try {
    await Promise.all([copyOutput(program, connection, halfClose), stderr, program.exited]);
  } finally {
    await program.end();
    closed.removeEventListener("abort", end);
  }
  return { exit: await program.exited, reading };
}

/** Copies to the program; when the connection fails, it is closed, which ends the program. */
async function copyToProgram(program: Program, connection: Connection): Promise<void> {
  try {
    await connection.forEachChunk((chunk) => program.write(chunk));
    await program.endInput();
  } catch (error) {
    connection.close(faultOf(error));
  }
}

async function copyOutput(
  program: Program,
  connection: Connection,
  halfClose: boolean,
): Promise<void> {
  await copyToConnection(program.output.chunks(), connection);
  if (halfClose && !connection.isClosed) await connection.closeWrite().catch(() => {});
}

/** Copies output of a program to its connection. */
export async function copyToConnection(
  chunks: AsyncIterable<Uint8Array>,
  connection: Connection,
): Promise<void> {
  try {
    for await (const chunk of chunks) await connection.write(chunk);
  } catch (error) {
    connection.close(faultOf(error));
  }
}
