/**
 * The lines that a peer sends, read fairly: in turns of the event loop, each line within a time.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Connection } from "./connection.ts";
import { type Line, LineSplitter } from "./lines.ts";

/** How lines are read. */
export interface LineReaderOptions {
  /** The most bytes of a line that are kept; the rest of it is dropped. */
  readonly limit: number;
  /** How long a line may take from its first byte to its newline, in milliseconds. */
  readonly timeout: number;
}

/** Lines of one turn. Each may go round a room, so the clock is read at every one. */
const TURN = { units: 256, clockEvery: 1 };

const tasks = new TaskScope("timing a line", { without: "the line may take for ever" });

/**
 * The lines of a connection until its peer ends its half, or it is closed. A line that takes longer than `timeout`
 * closes the connection: whoever dribbles holds it no longer than that.
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
    }
    yield* splitter.end();
  } finally {
    clearTimeout(timer);
  }
}
