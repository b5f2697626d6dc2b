/**
 * Closing thousands of connections at once.
 *
 * @module
 */
import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Connection } from "./connection.ts";
import type { EndReason } from "./end_reason.ts";

/** Connections that are closed in one turn of the event loop: what follows for each takes longer than to close it. */
const TURN = { units: 128 };

const budget = new TurnBudget(TURN);

/** Who closes last, of those who do. */
let last: Promise<void> = Promise.resolve();

/**
 * Closes connections in turns of the event loop. Whoever asks while others are being closed, as many outlets do that
 * stop together, comes after them.
 */
export function closeAll(connections: Iterable<Connection>, reason: EndReason): Promise<void> {
  return last = last.then(async () => {
    for (const connection of connections) {
      connection.close(reason);
      const turn = budget.spend();
      if (turn) await turn;
    }
  });
}
