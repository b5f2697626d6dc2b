/** Rooms on several outlet servers, connected by real NATS servers. */
import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "@nats-io/transport-node";
import { subjectOf } from "../../src/chat/bus/nats_subject.ts";
import { ChatClient, exchangeLines } from "../harness/chat_client.ts";
import { eventually } from "../harness/eventually.ts";
import { NatsServer } from "../harness/nats.ts";
import { freePort } from "../harness/ports.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

const NEEDS = ["nats-server"];
const SPEC = "chat://:0?room=all";

/**
 * Several outlet servers on one bus, with the same number of members on each, all of whom know each
 * other.
 */
class ServerGroup implements AsyncDisposable {
  readonly servers: TestServer[] = [];
  readonly parts: ChatClient[][] = [];

  static async build(
    buses: readonly string[],
    { guests, spec = SPEC }: { guests: number; spec?: string },
  ): Promise<ServerGroup> {
    await using undo = new AsyncDisposableStack();
    const group = undo.use(new ServerGroup());
    for (const bus of buses) {
      const server = await TestServer.open(spec, "--bus", bus);
      group.servers.push(server);
      await server.event("bus-connected");
      const joining = Array.from({ length: guests }, () => ChatClient.join(server.port()));
      group.parts.push(await Promise.all(joining));
    }
    for (const [first] of group.parts) await first?.countsMembers(guests * buses.length);
    undo.move();
    return group;
  }

  get guests(): ChatClient[] {
    return this.parts.flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const guest of this.guests) guest[Symbol.dispose]();
    for (const server of this.servers) await server[Symbol.asyncDispose]();
  }
}

testWith(
  NEEDS,
  "with three servers and 300 members, each member receives 3,000 lines once and in order",
  async () => {
    await using nats = await NatsServer.start();
    await using group = await ServerGroup.build([nats.url, nats.url, nats.url], { guests: 100 });
    assertEquals(await exchangeLines(group.parts, { lines: 3_000 }), []);
  },
);

testWith(
  NEEDS,
  "a bus that is killed and restarted loses no line, and members are notified once",
  async () => {
    await using nats = await NatsServer.start();
    await using group = await ServerGroup.build([nats.url, nats.url, nats.url], { guests: 10 });
    let outage: Promise<unknown>;
    const faults = await exchangeLines(group.parts, {
      lines: 1_500,
      async during(sent) {
        if (sent === 500) {
          outage = nats.kill().then(() =>
            Promise.all(group.servers.map((it) => it.event("bus-disconnected")))
          );
        }
        if (sent === 1_000) await outage.then(() => nats.start());
      },
    });
    assertEquals(faults, []);
    for (const guest of group.guests) {
      assertEquals(guest.notices.filter((line) => line.startsWith("* bus ")), [
        "* bus disconnected: until it is back, only members on this server receive your lines",
        "* bus connected again",
      ]);
    }
    for (const server of group.servers) {
      assertEquals(server.events.filter(({ event }) => event === "bus-disconnected").length, 1);
      const [bus] = server.server.roomsStatus().buses;
      const { name, state, reconnects, traffic: { lost, dropped } } = bus!;
      assertEquals([name, state, reconnects, lost, dropped], [nats.url, "up", 1, 0, 0]);
    }
  },
);

testWith(NEEDS, "a room continues when a server of the NATS cluster is killed", async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = (await NatsServer.cluster()).map((server) => stack.use(server));
  // Each outlet server connects to one server of the cluster, and learns the URLs of the others
  // from it.
  const urls = cluster.map(({ url }) => url);
  await using group = await ServerGroup.build(urls, { guests: 5 });
  const faults = await exchangeLines(group.parts, {
    lines: 600,
    during: (sent) => sent === 300 ? cluster[0]!.kill() : undefined,
  });
  assertEquals(faults, []);
  const { reason } = await group.servers[0]!.event("bus-disconnected");
  assertMatch(reason, /connection lost/);
});

testWith(
  NEEDS,
  "if the bus is down at the start, rooms are local, and join the bus once it is up",
  async () => {
    await using nats = NatsServer.prepare();
    await using one = await TestServer.open(SPEC, "--bus", nats.url);
    await using other = await TestServer.open(SPEC, "--bus", nats.url);
    assertMatch((await one.event("bus-disconnected")).reason, /refused/);
    using alice = await ChatClient.join(one.port());
    using ada = await ChatClient.join(one.port());
    using bob = await ChatClient.join(other.port());
    await alice.sendLine("only us");
    await ada.until(() => ada.messages.length === 1);
    await nats.start();
    await alice.receivesNotice(/^\* 1 more here, from another server$/);
    await alice.countsMembers(3);
    await alice.sendLine("all of us");
    await bob.until(() => bob.messages.some((line) => line.endsWith("all of us")));
    assertEquals(one.events.filter(({ event }) => event === "bus-disconnected").length, 1);
  },
);

Deno.test("a bus that refuses every connection is retried after increasing pauses", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await TestServer.open(
    SPEC,
    "--bus",
    `nats://127.0.0.1:${listener.addr.port}`,
  );
  const attempts: number[] = [];
  while (attempts.length < 4) {
    (await listener.accept()).close();
    attempts.push(performance.now());
  }
  // Timers are never early, so each pause is at least as long as intended.
  const pauses = attempts.slice(1).map((at, i) => at - attempts[i]!);
  assertEquals(pauses.map((pause, i) => pause >= 250 * 2 ** i), [true, true, true]);
  assertEquals(server.events.filter(({ event }) => event === "bus-disconnected").length, 1);
});

testWith(NEEDS, "one reachable server of several bus URLs is enough", async () => {
  await using nats = await NatsServer.start();
  const bus = `nats://127.0.0.1:${freePort()},127.0.0.1:${nats.port}`;
  await using server = await TestServer.open(SPEC, "--bus", bus);
  assertEquals((await server.event("bus-connected")).server, `127.0.0.1:${nats.port}`);
});

testWith(
  NEEDS,
  "of two members who take a name while the bus is down, the earlier one keeps it",
  async () => {
    await using nats = await NatsServer.start();
    await using group = await ServerGroup.build([nats.url, nats.url], { guests: 1 });
    const [[alice], [bob]] = group.parts as [[ChatClient], [ChatClient]];
    await nats.kill();
    for (const server of group.servers) await server.event("bus-disconnected");
    await bob.sendLine("/name ada");
    await bob.receivesNotice(/^\* you are ada$/);
    const then = Date.now();
    while (Date.now() === then) { /* wait for the next millisecond */ }
    await alice.sendLine("/name Ada");
    await alice.receivesNotice(/^\* you are Ada$/);
    await nats.start();
    await alice.receivesNotice(/^\* Ada is taken on another server: you are guest-\d+$/);
    await bob.receivesNotice(/^\* Ada is now guest-\d+$/);
    for (const guest of [alice, bob]) {
      await guest.countsMembers(2);
      assertMatch(guest.notices.at(-1)!, /\bada\b.*guest-\d+|guest-\d+.*\bada\b/);
    }
  },
);

testWith(NEEDS, "invalid messages on the bus are ignored and counted", async () => {
  await using nats = await NatsServer.start();
  await using group = await ServerGroup.build([nats.url, nats.url], { guests: 1 });
  const publisher = await connect({ servers: nats.url });
  const subject = subjectOf(["room", "all"]);
  const garbage = ["", "{}", "\u001b[2J", "[".repeat(50_000), "x".repeat(900_000)];
  for (const message of garbage) publisher.publish(subject, message);
  const noise = crypto.getRandomValues(new Uint8Array(1000));
  publisher.publish(subject, noise);
  await publisher.drain();
  const [[alice], [bob]] = group.parts as [[ChatClient], [ChatClient]];
  await alice.sendLine("\u001b]0;owned\u0007 still here");
  await bob.until(() => bob.messages.length === 1);
  assertMatch(bob.messages[0]!, /^guest-\d+> ␛]0;owned␇ still here$/);
  for (const { server } of group.servers) {
    const ignored = () => server.roomsStatus().buses[0]!.traffic.ignored;
    await eventually(() => ignored() >= garbage.length + 1);
    assertEquals(ignored(), garbage.length + 1);
  }
  assertEquals(bob.notices.some((line) => line.includes("[2J")), false);
});

testWith(NEEDS, "JetStream stores lines for servers that join later", async () => {
  await using nats = await NatsServer.start({ jetstream: true });
  const spec = "chat://:0?room=a b.c>&history=3";
  {
    await using group = await ServerGroup.build([nats.url, nats.url], { guests: 1, spec });
    const [[alice], [bob]] = group.parts as [[ChatClient], [ChatClient]];
    for (const word of ["one", "two", "three"]) await alice.sendLine(word);
    await bob.until(() => bob.messages.length === 3);
    await bob.sendLine("four");
    await alice.until(() => alice.messages.length === 1);
  }
  await nats.kill();
  await nats.start();
  await using later = await TestServer.open(spec, "--bus", nats.url);
  await later.event("bus-connected");
  using carol = await ChatClient.join(later.port());
  await carol.until(() => {
    if (carol.messages.length > 0) return true;
    carol.sendLine("/history");
    return false;
  });
  await carol.until(() => carol.messages.length >= 3);
  assertEquals(carol.messages.slice(0, 3).map((line) => line.replace(/^\S+ /, "")), [
    "two",
    "three",
    "four",
  ]);
});
