/** Rooms of the same name on several servers, over a bus whose delivery the test controls. */
import { assert, assertEquals } from "@std/assert";
import { BusLink } from "../../src/chat/bus_link.ts";
import { Room } from "../../src/chat/room.ts";
import { Rooms } from "../../src/chat/rooms.ts";
import { noTraffic, type Traffic } from "../../src/chat/status.ts";
import { noise } from "../harness/bytes.ts";
import { BusNetwork, type Delivery, LossyBus } from "../harness/lossy_bus.ts";
import { TestMember } from "../harness/test_member.ts";

/** The chat rooms of one server, with a connection to the shared bus. */
class ServerRooms implements AsyncDisposable {
  readonly rooms = new Rooms();
  readonly bus: LossyBus;
  readonly room: Room;

  private constructor(network: BusNetwork) {
    this.bus = new LossyBus(network);
    this.room = this.rooms.open("ops");
  }

  static async open(network: BusNetwork): Promise<ServerRooms> {
    const server = new ServerRooms(network);
    await server.rooms.attachBus(server.bus);
    return server;
  }

  get traffic(): Readonly<Traffic> {
    return this.rooms.status().buses[0]!.traffic;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.rooms[Symbol.asyncDispose]();
  }
}

/** Two servers whose rooms know each other's members. */
async function twoServers(network: BusNetwork) {
  const stack = new AsyncDisposableStack();
  const [one, other] = [
    stack.use(await ServerRooms.open(network)),
    stack.use(await ServerRooms.open(network)),
  ];
  const [alice, bob] = [new TestMember(one.room), new TestMember(other.room)];
  one.room.rename(alice.member, "alice");
  other.room.rename(bob.member, "bob");
  await Promise.all([alice.seesMember("bob"), bob.seesMember("alice")]);
  one.room.say(alice.member, "are we linked?");
  other.room.say(bob.member, "we are");
  await Promise.all([bob.receives("alice> are we linked?"), alice.receives("bob> we are")]);
  alice.lines.length = bob.lines.length = 0;
  return { one, other, alice, bob, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("members of two servers are in one room, and receive each line once", async () => {
  await using pair = await twoServers(new BusNetwork());
  const { one, other, alice, bob } = pair;
  one.room.say(alice.member, "hello");
  assertEquals(await bob.receives("alice> hello"), 1);
  other.room.act(bob.member, "waves");
  assertEquals(await alice.receives("* bob waves"), 1);
  assertEquals(alice.lines.includes("alice> hello"), false);
  assertEquals(one.room.who(), ["alice", "bob"]);
  assertEquals(one.rooms.status().rooms, [
    {
      number: 1,
      name: "ops",
      isPublic: true,
      here: 1,
      elsewhere: [{ server: `${Deno.hostname()}/${Deno.pid}`, members: 1 }],
    },
  ]);
});

Deno.test("a name in use on another server is taken", async () => {
  await using pair = await twoServers(new BusNetwork());
  const { one, alice } = pair;
  assertEquals(one.room.rename(alice.member, "Bob"), "Bob is taken");
});

Deno.test("of two members who take a name at the same time, the earlier one keeps it", async () => {
  const network = new BusNetwork();
  await using pair = await twoServers(network);
  const { one, other, alice, bob } = pair;
  one.bus.setState("down");
  other.room.rename(bob.member, "ada");
  while (Date.now() === bob.member.claimed) { /* wait for the next millisecond */ }
  one.room.rename(alice.member, "ada");
  one.bus.setState("up");
  await alice.receives(/^\* ada is taken on another server: you are guest-\d+$/);
  await bob.receives(/^\* ada is now guest-\d+$/);
  assertEquals(one.room.who().toSorted(), ["ada", alice.member.name]);
  assertEquals(other.room.who().toSorted(), ["ada", alice.member.name]);
});

const DELIVERIES: readonly [string, Delivery][] = [
  ["loses a third of the messages", randomDelivery({ loses: 1 / 3 })],
  ["duplicates every message", () => 2],
  ["loses some messages and duplicates others", randomDelivery({ loses: 1 / 5, doubles: 1 / 2 })],
];

for (const [what, delivery] of DELIVERIES) {
  Deno.test(`over a bus that ${what}, every line arrives once, in order`, async () => {
    const network = new BusNetwork();
    await using pair = await twoServers(network);
    const { one, other, alice, bob } = pair;
    network.delivery = delivery;
    for (let i = 0; i < 200; i++) {
      one.room.say(alice.member, `a${i}`);
      other.room.say(bob.member, `b${i}`);
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    await Promise.all([bob.receives("alice> a199"), alice.receives("bob> b199")]);
    assertEquals(
      bob.lines.filter((line) => line.startsWith("alice> ")),
      Array.from({ length: 200 }, (_, i) => `alice> a${i}`),
    );
    assertEquals(
      alice.lines.filter((line) => line.startsWith("bob> ")),
      Array.from({ length: 200 }, (_, i) => `bob> b${i}`),
    );
  });
}

Deno.test("lines sent while the bus is down are queued and delivered, and members are notified once", async () => {
  const network = new BusNetwork();
  await using pair = await twoServers(network);
  const { one, alice, bob } = pair;
  one.bus.setState("down");
  for (let i = 0; i < 10; i++) one.room.say(alice.member, `line ${i}`);
  one.bus.setState("up");
  await bob.receives("alice> line 9");
  assertEquals(bob.lines.filter((line) => line.startsWith("alice> ")).length, 10);
  await alice.receives("* bus connected again");
  assertEquals(
    alice.lines.filter((line) => line.startsWith("* bus ")),
    [
      "* bus disconnected: until it is back, only members on this server receive your lines",
      "* bus connected again",
    ],
  );
});

Deno.test("lines that do not fit in the send queue are counted, and members on both servers are told how many", async () => {
  const network = new BusNetwork();
  await using pair = await twoServers(network);
  const { one, other, alice, bob } = pair;
  one.bus.setState("down");
  const line = "x".repeat(4000);
  for (let i = 0; i < 400; i++) one.room.say(alice.member, `${i} ${line}`);
  one.bus.setState("up");
  await bob.receives(`alice> 399 ${line}`);
  const { dropped } = one.traffic;
  const { lost } = other.traffic;
  assert(dropped > 100 && dropped < 200, `${dropped}`);
  assertEquals(lost, dropped);
  await alice.receives(`* ${dropped} messages were lost: the send queue was full`);
  await bob.receives(`* ${dropped} messages from other servers were lost`);
  assertEquals(bob.lines.filter((line) => line.startsWith("alice> ")).length, 400 - dropped);
});

Deno.test("messages that are invalid or of another protocol are ignored and counted, and the room continues", async () => {
  const network = new BusNetwork();
  await using pair = await twoServers(network);
  const { one, other, alice, bob } = pair;
  const before = other.traffic.ignored;
  const foreign = { v: 1, kind: "facts", origin: "foreign0", first: 1 };
  const strange = [
    "",
    "null",
    "[]",
    "{}",
    "\u001b[2J",
    "9".repeat(70_000),
    new Uint8Array(100).fill(0xff),
    JSON.stringify({ ...foreign, v: 2, facts: [] }),
    JSON.stringify({ ...foreign, origin: "../x", facts: [] }),
    JSON.stringify({ ...foreign, first: -1, facts: [] }),
    JSON.stringify({ ...foreign, facts: [{ fact: "said", name: "a\nb", text: "", at: 1 }] }),
    JSON.stringify({
      ...foreign,
      facts: [{ fact: "said", name: "a", text: "x".repeat(5000), at: 1 }],
    }),
    JSON.stringify({ ...foreign, facts: [{ fact: "shouted", name: "a" }] }),
    JSON.stringify({
      ...foreign,
      kind: "roster",
      seq: 1,
      from: 1,
      part: 0,
      parts: 1,
      members: [["a"]],
    }),
    JSON.stringify({ ...foreign, kind: "nonsense" }),
    '{"__proto__":{"v":1},"kind":"bye"}',
  ];
  for (const message of strange) network.inject(["room", "ops"], message);
  one.room.say(alice.member, "\u001b]0;owned\u0007 still here");
  await bob.receives("alice> ␛]0;owned␇ still here");
  assertEquals(other.traffic.ignored - before, strange.length);
});

Deno.test("when a server stops, its members leave the other servers' rooms at once", async () => {
  await using pair = await twoServers(new BusNetwork());
  const { one, other, bob } = pair;
  await one.rooms[Symbol.asyncDispose]();
  await bob.receives("* left with their server: alice");
  assertEquals(other.room.who(), ["bob"]);
});

Deno.test("members of a server that is silent for eight seconds are removed, unless this server was suspended", async () => {
  const network = new BusNetwork();
  await using there = await ServerRooms.open(network);
  const bob = new TestMember(there.room);
  there.room.rename(bob.member, "bob");
  const room = new Room("ops");
  using link = new BusLink(room, { nodeId: "here0000", server: "here" });
  const bus = new LossyBus(network);
  link.attach(bus, { topic: ["room", "ops"], traffic: noTraffic() });
  link.onConnected(bus, { back: false });
  const alice = new TestMember(room);
  await alice.seesMember("bob");
  network.delivery = () => 0;
  // An integer: differences of other numbers are not exact.
  const silentAt = Math.ceil(performance.now());
  link.tick(silentAt, { suspended: true });
  link.tick(silentAt + 7_999, { suspended: false });
  assertEquals(room.has("bob"), true);
  link.tick(silentAt + 20_000, { suspended: true });
  assertEquals(room.has("bob"), true, "who slept cannot tell");
  link.tick(silentAt + 27_999, { suspended: false });
  assertEquals(room.has("bob"), true);
  link.tick(silentAt + 28_000, { suspended: false });
  assertEquals(room.has("bob"), false);
  assertEquals(await alice.receives("* left with their server: bob"), 1);
});

Deno.test("rooms without a configured name are not shared over the bus", async () => {
  const network = new BusNetwork();
  await using one = await ServerRooms.open(network);
  await using _other = await ServerRooms.open(network);
  const room = one.rooms.openPrivate("127.0.0.1:7000");
  const member = new TestMember(room);
  room.say(member.member, "secret");
  assertEquals(one.rooms.status().rooms.find(({ name }) => name === room.name), {
    number: 2,
    name: "127.0.0.1:7000",
    isPublic: false,
    here: 1,
    elsewhere: [],
  });
  assertEquals(network.messages.filter((message) => /127\.0\.0\.1|secret/.test(message)), []);
});

/** A pseudo-random delivery, the same in every run. */
function randomDelivery({ loses, doubles = 0 }: { loses: number; doubles?: number }): Delivery {
  const random = noise(4096, 7);
  let count = 0;
  return () => {
    const value = random[count++ % random.length]! / 256;
    return value < loses ? 0 : value < loses + doubles ? 2 : 1;
  };
}
