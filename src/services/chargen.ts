import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Connection } from "../connection/connection.ts";
import { type Service, service } from "./service.ts";

/** The first and the last printable ASCII character, and how many of them a line shows. */
const FIRST = 0x20;
const PRINTABLE = 95;
const WIDTH = 72;

/** Sends lines of characters without end, each shifted by one, and throws away what arrives (RFC 864). */
export const chargen: Service = service({
  name: "chargen",
  summary: "send lines of characters until the client closes (RFC 864)",
  options: {},
  open: () => {
    const pattern = wholePattern();
    return async (connection, signal) => {
      const listening = throwAway(connection);
      // What the kernel takes at once is no wait, and a client that reads as fast would keep all others waiting.
      const budget = new TurnBudget({ clockEvery: 1 });
      while (!signal.aborted) {
        await connection.write(pattern);
        await budget.spend();
      }
      await connection.closeWrite();
      await listening;
    };
  },
});

async function throwAway(connection: Connection): Promise<void> {
  try {
    while (await connection.read() !== null);
  } catch {
    // The connection is gone, and the next write says so.
  }
}

/** All 95 lines after which the pattern begins anew. */
function wholePattern(): Uint8Array {
  const lines = Array.from({ length: PRINTABLE }, (_, shift) => {
    const codes = Array.from({ length: WIDTH }, (_, i) => FIRST + (shift + i) % PRINTABLE);
    return String.fromCharCode(...codes) + "\r\n";
  });
  return new TextEncoder().encode(lines.join(""));
}
