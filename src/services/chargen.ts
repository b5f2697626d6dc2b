import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Connection } from "../connection/connection.ts";
import { type Service, service } from "./service.ts";

/** The printable ASCII characters, and how many of them are in a line. */
const FIRST = 0x20;
const PRINTABLE = 95;
const WIDTH = 72;

/** Sends lines of characters without end, each shifted by one, and discards what is received (RFC 864). */
export const chargen: Service = service({
  name: "chargen",
  summary: "send lines of characters until the client closes (RFC 864)",
  options: {},
  datagram: {
    answers: "more",
    open: () => {
      const pattern = repeatingPattern();
      return (session) => ({ receive: () => session.send(randomPart(pattern)) });
    },
  },
  open: () => {
    const pattern = repeatingPattern();
    return async (connection, signal) => {
      const discarding = discard(connection);
      // A write that the kernel accepts at once does not yield, so a client that reads fast would block all others.
      const budget = new TurnBudget({ clockEvery: 1 });
      while (!signal.aborted) {
        await connection.write(pattern);
        await budget.spend();
      }
      await connection.closeWrite();
      await discarding;
    };
  },
});

async function discard(connection: Connection): Promise<void> {
  try {
    while (await connection.read() !== null);
  } catch {
    // The connection is closed; the next write fails.
  }
}

/** The most characters of an answer to a datagram. */
const MAX_ANSWER = 512;

/** 0 to 512 characters of the pattern, from the start of a line: RFC 864 asks for a random number. */
function randomPart(pattern: Uint8Array): Uint8Array {
  const lastLine = PRINTABLE - Math.ceil(MAX_ANSWER / (WIDTH + 2));
  const start = Math.floor(Math.random() * lastLine) * (WIDTH + 2);
  return pattern.subarray(start, start + Math.floor(Math.random() * (MAX_ANSWER + 1)));
}

/** The 95 lines after which the pattern repeats. */
function repeatingPattern(): Uint8Array {
  const lines = Array.from({ length: PRINTABLE }, (_, shift) => {
    const codes = Array.from({ length: WIDTH }, (_, i) => FIRST + (shift + i) % PRINTABLE);
    return String.fromCharCode(...codes) + "\r\n";
  });
  return new TextEncoder().encode(lines.join(""));
}
