/** The chat rooms in the console's API. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Rooms } from "../../src/chat/rooms.ts";
import type { BusStatus } from "../../src/chat/status.ts";
import { TestConsole, TOKEN } from "../harness/console.ts";
import { BusNetwork, LossyBus } from "../harness/lossy_bus.ts";
import { TestMember } from "../harness/test_member.ts";

/** The name of another server on the bus; in a test it is the same process. */
const SERVER = `${Deno.hostname()}/${Deno.pid}`;

Deno.test("rooms, their members on every server, and buses are listed, and updates are streamed", async () => {
  const network = new BusNetwork();
  await using console = await TestConsole.open("chat://:0?room=ops", "chat://:0");
  const { rooms } = console.server.server;
  const bus = new LossyBus(network);
  await rooms.attachBus(bus);
  await using elsewhere = new Rooms();
  await elsewhere.attachBus(new LossyBus(network));
  const alice = new TestMember(rooms.open("ops"));
  const bob = new TestMember(elsewhere.open("ops"));
  alice.member.room.rename(alice.member, "alice");
  bob.member.room.rename(bob.member, "bob");
  await Promise.all([alice.seesMember("bob"), bob.seesMember("alice")]);

  const status = await console.get("/api/v1/rooms");
  assertEquals(status.rooms.map(({ name }: { name: string }) => name), [
    "ops",
    `127.0.0.1:${console.server.port(1)}`,
  ]);
  const { id, isPublic, here, elsewhere: away, servers, names } = status.rooms[0];
  assertEquals([id, isPublic, here, away, servers], [1, true, 1, 1, 1]);
  assertEquals(names, ["alice", "bob"]);
  assertEquals([status.buses[0].name, status.buses[0].state], ["test", "up"]);
  assert(status.buses[0].traffic.in > 0 && status.buses[0].traffic.out > 0);

  const { members, largest } = await console.get("/api/v1/rooms/1");
  assertEquals(members, [{ name: "alice" }, { name: "bob", server: SERVER }]);
  assertEquals(largest, [{ server: SERVER, members: 1 }]);
  const part = await console.get("/api/v1/rooms/1?filter=bo&limit=1&offset=0");
  assertEquals([part.matching, part.members[0].name], [1, "bob"]);

  // Each change is made once the update of the previous one has been received.
  const steps: [seen: (bus: BusStatus) => boolean, then: () => void][] = [
    [({ state }) => state === "up", () => bus.setState("down")],
    [({ state }) => state === "down", () => alice.member.room.say(alice.member, "who is there?")],
    [({ queued }) => queued > 0, () => bus.setState("up")],
    [({ state, reconnects }) => state === "up" && reconnects === 1, () => {}],
  ];
  await console.stream("?watch=rooms", (all) => {
    const last = all.findLast(({ event }) => event === "rooms");
    if (last && steps[0]?.[0](last.data.buses[0])) steps.shift()![1]();
    return steps.length === 0;
  });
});

Deno.test("members of a large room are returned by pages", async () => {
  await using console = await TestConsole.open("chat://:0?room=all");
  const room = console.server.server.rooms.open("all");
  for (let i = 0; i < 3_000; i++) {
    room.join({
      send() {},
      isClosed: false,
      waiting: 0,
      caughtUp: () => Promise.resolve(),
      disconnect() {},
    });
  }
  const text = await (await console.ask("/api/v1/rooms")).text();
  assert(text.length < 1_000, text);
  assertEquals(JSON.parse(text).rooms[0].here, 3_000);
  const page = await console.get("/api/v1/rooms/1?offset=2990&limit=5000");
  assertEquals([page.matching, page.members.length, page.members[0].name], [
    3_000,
    10,
    "guest-2991",
  ]);
  assertEquals((await console.get("/api/v1/rooms/1?limit=5000")).members.length, 1_000);
});

Deno.test("rooms are refused without the token, and an unknown room is not found", async () => {
  await using console = await TestConsole.open("chat://:0");
  for (const path of ["/api/v1/rooms", "/api/v1/rooms/1", "/api/v1/stream?watch=rooms"]) {
    const answer = await fetch(console.origin + path);
    assertEquals(answer.status, 401);
    await answer.body?.cancel();
  }
  const missing = await console.ask("/api/v1/rooms/2");
  assertEquals(missing.status, 404);
  assertMatch((await missing.json()).error, /no room 2/);
  const wrong = await console.ask("/api/v1/rooms/1?offset=x", {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  assertEquals([wrong.status, (await wrong.json()).field], [400, "offset"]);
});
