/**
 * Closes many connections in turns of the event loop.
 *
 * @module
 */
import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Conversation } from "./conversation.ts";
import type { EndReason } from "./end_reason.ts";

/**
 * Connections that are closed in one turn. What follows each close (events, handlers) takes
 * longer than the close itself.
 */
const TURN = { units: 128 };

const budget = new TurnBudget(TURN);

/** Resolves when all earlier calls are done. */
let last: Promise<void> = Promise.resolve();

/**
 * Closes connections in turns of the event loop. Calls run one after the other, so outlets that
 * stop together share the turns.
 */
export function closeAll(connections: Iterable<Conversation>, reason: EndReason): Promise<void> {
  return last = last.then(async () => {
    for (const connection of connections) {
      connection.close(reason);
      const turn = budget.spend();
      if (turn) await turn;
    }
  });
}
