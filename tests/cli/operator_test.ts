/** The operator's commands with many connections. */
import { assert, assertEquals } from "@std/assert";
import { Rooms } from "../../src/chat/rooms.ts";
import { runOperator } from "../../src/cli/operator.ts";
import type { LiveConnection } from "../../src/server/handle.ts";

Deno.test("/connections lists a thousand connections in turns, and counts the rest", async () => {
  const outlet = { name: "echo", address: { hostname: "127.0.0.1", port: 7 } };
  const shown: string[] = [];
  /** The turns of the event loop in which output was shown. */
  const during = new Set<number>();
  let turns = 0;
  let isDone = false;
  const countTurns = () => void (isDone || (turns++, setTimeout(countTurns)));
  countTurns();
  async function* typed() {
    yield { text: "/connections" };
  }
  await runOperator(typed(), {
    rooms: new Rooms(),
    connections: () =>
      Array.from({ length: 4_000 }, (_, id) => ({ outlet, connection: connectionOf(id) })),
    ladder: (connection) => `ladder of ${connection.id}\n`,
    quit: () => {},
    show: (text) => {
      shown.push(text.slice(0, 200));
      during.add(turns);
    },
  });
  isDone = true;
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(shown.length, 1_001);
  assertEquals(shown.at(-1), "* and 3000 more\n");
  assert(shown[0]!.includes("#0") && shown[999]!.includes("ladder of 999\n"));
  assert(during.size >= 10);
});

function connectionOf(id: number): LiveConnection {
  const address = { hostname: "127.0.0.1", port: 40_000 };
  const numbers = { id, bytesIn: 0, bytesOut: 0, openedAt: 0 };
  return { ...numbers, peer: address, local: address } as unknown as LiveConnection;
}
