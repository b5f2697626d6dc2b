/**
 * Reads lines from a connection, in turns of the event loop and with a deadline for each line.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Connection } from "./connection.ts";
import { type Line, LineSplitter } from "./lines.ts";

/** Options of {@linkcode readLines}. */
export interface LineReaderOptions {
  /** The maximum length of a line in bytes; the rest is dropped. */
  readonly limit: number;
  /** Milliseconds from the first byte of a line to its newline. */
  readonly timeout: number;
}

/**
 * Lines of one turn. The clock is read for each, because a line may be sent to a whole chat room.
 */
const TURN = { units: 256, clockEvery: 1 };

/** Bytes that count as much as a line. */
const BYTES_PER_UNIT = 1024;

const tasks = new TaskScope("timing a line", { consequence: "this line has no time limit" });

/**
 * The lines of a connection until the peer sends its FIN or the connection is closed. A line that
 * takes longer than `timeout` closes the connection.
 */
export async function* readLines(
  connection: Connection,
  { limit, timeout }: LineReaderOptions,
): AsyncGenerator<Line> {
  const splitter = new LineSplitter({ limit });
  const budget = new TurnBudget(TURN);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expire = tasks.guard(() => connection.close("line timeout"));
  try {
    for await (const chunk of connection.chunks()) {
      budget.begin();
      for (const line of splitter.push(chunk)) {
        clearTimeout(timer);
        timer = undefined;
        yield line;
        await budget.spend();
        if (connection.isClosed) return;
      }
      if (splitter.isPending) timer ??= setTimeout(expire, timeout);
      // Bytes count too: a flood without newlines would keep the runtime from polling other sockets.
      await budget.spend(Math.ceil(chunk.length / BYTES_PER_UNIT));
    }
    yield* splitter.end();
  } finally {
    clearTimeout(timer);
  }
}
