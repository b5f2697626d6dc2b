/** A change of many outlets is made in turns of the event loop, between which connections are served. */
import { assert, assertEquals } from "@std/assert";
import { configOf, TestServer } from "../harness/server.ts";
import { TurnCounter } from "../harness/turn_counter.ts";

const OUTLETS = 500;

/** The most outlets in one turn. A timer may miss some turns, but not most of them. */
const MOST = 4 * 64;

Deno.test("many outlets are opened, changed and closed in turns, and an unchanged config changes nothing", async () => {
  await using server = await TestServer.open("echo://127.0.0.1:0");
  using counter = new TurnCounter();
  using _ = server.eventBus.subscribe(({ event }) => {
    if (event === "listening") counter.add();
  });
  const many = Array.from({ length: OUTLETS }, () => "echo://127.0.0.1:0");
  const changes = [
    [many, { opened: OUTLETS - 1, closed: 0, changed: 0 }],
    [[...many, "--idle-timeout", "7s"], { opened: 0, closed: 0, changed: OUTLETS }],
    [[...many, "--idle-timeout", "7s"], { opened: 0, closed: 0, changed: 0 }],
    [many.slice(1), { opened: 0, closed: 1, changed: OUTLETS - 1 }],
  ] as const;
  for (const [args, expected] of changes) {
    assertEquals(await server.server.change(configOf([...args])), expected);
  }
  assert(counter.turns > 1, "all in one turn");
  assert(counter.longest < MOST, `${counter.longest} in one turn`);
  assertEquals([...server.server.outlets].length, OUTLETS - 1);
});

Deno.test("a server that is stopped while many outlets open closes all of them", async () => {
  await using server = await TestServer.open("echo://127.0.0.1:0");
  const many = Array.from({ length: OUTLETS }, () => "echo://127.0.0.1:0");
  const [changes, aborted] = await Promise.all([
    server.server.change(configOf(many)),
    server.server.stop({ grace: 0 }),
  ]);
  assertEquals([changes.opened, aborted], [OUTLETS - 1, 0]);
  const count = (name: string) => server.events.filter(({ event }) => event === name).length;
  assertEquals(count("stopped"), count("listening"));
});
