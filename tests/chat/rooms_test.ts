/** Rooms exist as long as something needs them. */
import { assertEquals } from "@std/assert";
import { Rooms } from "../../src/chat/rooms.ts";
import type { Room } from "../../src/chat/room.ts";
import { ChatClient } from "../harness/chat_client.ts";
import { eventually } from "../harness/eventually.ts";
import { configOf, TestServer } from "../harness/server.ts";

const NOBODY = {
  send: () => {},
  waiting: 0,
  caughtUp: () => Promise.resolve(),
  isClosed: false,
  disconnect: () => {},
};

function namesOf(rooms: Rooms): string[] {
  return rooms.status().rooms.map(({ name }) => name);
}

Deno.test("a room without members that no outlet uses is not listed", async () => {
  await using rooms = new Rooms();
  const [first, second] = [new AbortController(), new AbortController()];
  const room = rooms.open("all", { signal: first.signal });
  assertEquals(rooms.open("all", { signal: second.signal }), room);
  const member = room.join(NOBODY);
  first.abort();
  second.abort();
  assertEquals(namesOf(rooms), ["all"], "a guest is still there");
  member[Symbol.dispose]();
  assertEquals(namesOf(rooms), []);
  room.flush();
});

Deno.test("an operator does not keep a room open, and leaves it with the last guest", async () => {
  await using rooms = new Rooms();
  const visited: Room[] = [];
  const left: Room[] = [];
  rooms.visitAll((room) => {
    visited.push(room);
    const host = room.join(NOBODY, { as: "operator" });
    return {
      [Symbol.dispose]() {
        left.push(room);
        host[Symbol.dispose]();
      },
    };
  });
  const inUse = new AbortController();
  const room = rooms.open("all", { signal: inUse.signal });
  inUse.abort();
  assertEquals([visited, left], [[room], [room]]);
  assertEquals(room.size, 0);
  room.flush();
});

Deno.test("room numbers are not reused", async () => {
  await using rooms = new Rooms();
  const inUse = new AbortController();
  rooms.open("one", { signal: inUse.signal });
  inUse.abort();
  rooms.open("two");
  assertEquals(rooms.status().rooms.map(({ number, name }) => [number, name]), [[2, "two"]]);
  assertEquals(rooms.numbered(1), undefined);
});

Deno.test("a room is removed when its outlet is removed and its last member leaves, and stays through a reload", async () => {
  await using server = await TestServer.open("chat://:0?room=all", "echo://:0");
  const { rooms } = server.server;
  const port = server.port();
  const guest = await ChatClient.join(port);
  await server.server.change(configOf([`chat://:${port}?room=all&history=5`, "echo://:0"]));
  using other = await ChatClient.join(port);
  await guest.sendLine("still one room");
  await other.until(() => other.messages.length === 1);
  assertEquals(namesOf(rooms), ["all"]);
  await server.server.change(configOf(["echo://:0"]));
  guest[Symbol.dispose]();
  other[Symbol.dispose]();
  await eventually(() => namesOf(rooms).length === 0, "the room's end");
});
