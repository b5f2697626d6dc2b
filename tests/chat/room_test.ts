import { assertEquals, assertMatch } from "@std/assert";
import type { Subscriber } from "../../src/chat/backpressure.ts";
import { Room } from "../../src/chat/room.ts";

function subscriber(): Subscriber & { received: string[] } {
  const received: string[] = [];
  return {
    received,
    send: (lines) => void received.push(...new TextDecoder().decode(lines).match(/.*\n/g)!),
    waiting: 0,
    caughtUp: () => Promise.resolve(),
    isClosed: false,
    disconnect: (reason) => void received.push(`dismissed: ${reason}`),
  };
}

Deno.test("a line reaches all other members, with the sender's name", () => {
  const room = new Room("test");
  const [a, b, c] = [subscriber(), subscriber(), subscriber()];
  const alice = room.join(a);
  room.join(b);
  room.join(c);
  room.say(alice, "hello");
  room.flush();
  assertEquals(a.received, ["* guest-2 joined\n", "* guest-3 joined\n"]);
  assertEquals(b.received, ["* guest-3 joined\n", "guest-1> hello\n"]);
  assertEquals(c.received, ["guest-1> hello\n"]);
});

Deno.test("names are unique regardless of case, limited in length, and never an operator's", () => {
  const room = new Room("test");
  const alice = room.join(subscriber());
  const bob = room.join(subscriber());
  assertEquals(room.rename(alice, "Alice"), undefined);
  assertEquals(room.rename(bob, "aLICE"), "aLICE is taken");
  assertEquals(room.rename(bob, "HOST"), "HOST is an operator's name");
  const invisible = ["\u3164", "\u115f", "\uffa0", "a\u200b", "a\u00ad", "a\u3164"];
  for (const name of ["", "a b", "x".repeat(25), "\u001b[1m", "-a", "a\u202eb", ...invisible]) {
    assertEquals(room.rename(bob, name)?.startsWith("a name is"), true);
  }
  assertEquals(room.who().toSorted(), ["Alice", "guest-2"]);
  room.flush();
});

Deno.test("the number of a guest name is skipped while another member has that name", () => {
  const room = new Room("test");
  room.rename(room.join(subscriber()), "guest-2");
  assertEquals(room.join(subscriber()).name, "guest-3");
  room.flush();
});

Deno.test("a member that leaves is announced once, and its name is free", () => {
  const room = new Room("test");
  const watcher = subscriber();
  room.join(watcher);
  const bob = room.join(subscriber());
  bob[Symbol.dispose]();
  bob[Symbol.dispose]();
  room.flush();
  assertEquals(watcher.received, ["* guest-2 joined\n", "* guest-2 left\n"]);
  assertEquals(room.who(), ["guest-1"]);
});

Deno.test("escapes in a line reach no member", () => {
  const room = new Room("test");
  const listener = subscriber();
  const sender = room.join(subscriber());
  room.join(listener);
  room.say(sender, "\u001b]0;owned\u0007");
  room.flush();
  assertEquals(listener.received, ["guest-1> ␛]0;owned␇\n"]);
});

Deno.test("a sender waits for members that read, and only briefly for members that do not", async () => {
  const room = new Room("test");
  const sender = room.join(subscriber());
  const taken = Promise.withResolvers<void>();
  room.join({ ...subscriber(), waiting: 100_000, caughtUp: () => taken.promise });
  room.say(sender, "hello");
  room.flush();
  await room.pace();
  taken.resolve();
});

Deno.test("a member that takes nothing is waited for a limited number of times, then not until it has caught up", async () => {
  const room = new Room("test");
  const stalled = {
    ...subscriber(),
    waiting: 100_000,
    caughtUp: () => new Promise<void>(() => {}),
  };
  room.join(stalled);
  const isAtOnce = async () => {
    room.notice("more to take");
    room.flush();
    const { promise: later, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false));
    const paced = room.pace();
    const first = await Promise.race([paced.then(() => true), later]);
    clearTimeout(timer);
    await paced;
    return first;
  };
  let waits = 0;
  while (!await isAtOnce()) waits++;
  assertEquals(waits, 20);
  stalled.waiting = 0;
  assertEquals(await isAtOnce(), true);
  stalled.waiting = 100_000;
  assertEquals(await isAtOnce(), false);
});

Deno.test("lines sent at the same time are sent together, to each member without its own lines", async () => {
  const room = new Room("test");
  const chunks: string[][] = [[], [], []];
  const [alice, bob] = chunks.map((received) =>
    room.join({
      ...subscriber(),
      send: (lines) => void received.push(new TextDecoder().decode(lines)),
    })
  );
  room.flush();
  for (const chunk of chunks) chunk.length = 0;
  room.say(alice!, "one");
  room.say(bob!, "two");
  room.say(alice!, "three");
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(chunks, [
    ["guest-2> two\n"],
    ["guest-1> one\nguest-1> three\n"],
    ["guest-1> one\nguest-2> two\nguest-1> three\n"],
  ]);
});

Deno.test("a new member receives no line that was sent before it joined, even one that is still queued", () => {
  const room = new Room("test");
  const sender = room.join(subscriber());
  room.say(sender, "nobody hears this");
  const late = subscriber();
  room.join(late);
  room.flush();
  assertEquals(late.received, []);
});

Deno.test("a new member gets a name even if all guest names of up to five digits are taken on other servers", () => {
  const room = new Room("test");
  const claimed = /^(guest|host)-\d{1,5}$|^host$/;
  room.attachBus({
    post: () => {},
    everyone: () => [],
    sizes: () => new Map(),
    isTaken: (key) => claimed.test(key),
    waiting: 0,
    caughtUp: () => Promise.resolve(),
  });
  assertMatch(room.join(subscriber()).name, /^guest-\d{6,}$/);
  assertMatch(room.join(subscriber(), { as: "operator" }).name, /^host-\d{6,}$/);
  room.flush();
});
