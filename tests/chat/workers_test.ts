/** Rooms of a server with workers, without a bus and on a bus with other servers. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { isUnix } from "../../src/endpoint/address.ts";
import { CRASHING_WORKER, TestSupervisor, WORKERS } from "../harness/supervisor.ts";
import { ChatClient, exchangeLines } from "../harness/chat_client.ts";
import { eventually } from "../harness/eventually.ts";
import { NatsServer } from "../harness/nats.ts";
import { freePort } from "../harness/ports.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

const SPEC = "chat://:0?room=all";

/** A connection in the monitoring output of a NATS server. */
interface NatsConnections {
  readonly connections: readonly { readonly subscriptions_list: readonly string[] }[];
}

/** A room with a history that new members are shown. */
const HISTORY = "chat://:0?room=all&history=10";

/** This many guests or more, grouped by their worker; each worker has at least two. */
async function joinWorkers(
  supervisor: TestSupervisor,
  count: number,
  guests: DisposableStack,
): Promise<ChatClient[][]> {
  const all: ChatClient[] = [];
  for (;;) {
    const joining = Array.from(
      { length: count - all.length },
      () => ChatClient.join(supervisor.port()),
    );
    for (const guest of await Promise.all(joining)) all.push(guests.use(guest));
    const open = () => [...supervisor.supervisor.connections()];
    await supervisor.until(() => open().length === count);
    const workers = new Map(
      open().map(({ connection: { peer, worker: hand } }) =>
        [isUnix(peer) ? 0 : peer.port, hand.index] as const
      ),
    );
    const parts = [...Map.groupBy(all, ({ port }) => workers.get(port)!).values()];
    if (parts.length === WORKERS && parts.every(({ length }) => length > 1)) return parts;
    count++;
  }
}

/** Joins again, with retries: a connection in the accept queue of a worker that dies is reset. */
async function rejoin(port: number): Promise<ChatClient> {
  for (;;) {
    const guest = await ChatClient.join(port).catch(() => undefined);
    if (guest) return guest;
    await delay(5);
  }
}

Deno.test("with three workers and 300 members, each member receives 3,000 lines once and in order", async () => {
  await using supervisor = await TestSupervisor.open([SPEC]);
  using guests = new DisposableStack();
  const parts = await joinWorkers(supervisor, 300, guests);
  for (const [first] of parts) await first!.countsMembers(300);
  assertEquals(await exchangeLines(parts, { lines: 3_000 }), []);
  assertEquals(supervisor.supervisor.roomsStatus().rooms.map(({ name, here }) => [name, here]), [[
    "all",
    300,
  ]]);
});

Deno.test("members of a worker that dies are removed for the others, and can join again in another worker", async () => {
  await using supervisor = await TestSupervisor.open([SPEC], { module: CRASHING_WORKER });
  using guests = new DisposableStack();
  const parts = await joinWorkers(supervisor, 12, guests);
  const [[bob], ...others] = parts as [[ChatClient], ...ChatClient[][]];
  for (const [first] of parts) await first!.countsMembers(parts.flat().length);
  await bob.sendLine("/name bob");
  await Promise.all(others.map(([first]) => first!.receivesNotice(/is now bob$/)));
  const { connection } = [...supervisor.supervisor.connections()].find(({ connection: { peer } }) =>
    !isUnix(peer) && peer.port === bob.port
  )!;
  await connection.write(new TextEncoder().encode("die")).catch(() => {});
  await Promise.all(
    others.map(([first]) => first!.receivesNotice(/^\* left with their server: .*bob/)),
  );
  await others[0]![0]!.countsMembers(others.flat().length);
  await supervisor.until((events) =>
    events.filter(({ event }) => event === "worker-restarted").length === 1
  );
  using back = await rejoin(supervisor.port());
  await back.countsMembers(others.flat().length + 1);
});

testWith(
  ["nats-server"],
  "members in workers and on another server are in one room, and an outage of the bus loses no line",
  async () => {
    await using nats = await NatsServer.start();
    await using supervisor = await TestSupervisor.open([SPEC, "--bus", nats.url]);
    await using other = await TestServer.open(SPEC, "--bus", nats.url);
    await other.event("bus-connected");
    using guests = new DisposableStack();
    const elsewhere = [await ChatClient.join(other.port()), await ChatClient.join(other.port())];
    for (const guest of elsewhere) guests.use(guest);
    const parts = [elsewhere, ...await joinWorkers(supervisor, 9, guests)];
    const count = parts.flat().length;
    for (const [first] of parts) await first!.countsMembers(count);

    const lists = parts.map(([first]) =>
      first!.notices.findLast((line) => / here: /.test(line))!.replace(/^.* here: /, "").split(", ")
        .toSorted()
    );
    for (const list of lists) assertEquals(list, lists[0]);
    assertEquals(new Set(lists[0]).size, count);

    let outage: Promise<unknown>;
    const faults = await exchangeLines(parts, {
      lines: 900,
      async during(sent) {
        if (sent === 300) outage = nats.kill().then(() => other.event("bus-disconnected"));
        if (sent === 600) await outage.then(() => nats.start());
      },
    });
    assertEquals(faults, []);
    for (const guest of parts.flat()) {
      await guest.receivesNotice(/^\* bus connected again$/);
      assertEquals(guest.notices.filter((line) => line.startsWith("* bus ")), [
        "* bus disconnected: until it is back, only members on this server receive your lines",
        "* bus connected again",
      ]);
    }

    // Workers report the state of their buses once a second.
    const isBack = () =>
      supervisor.supervisor.roomsStatus().buses.every(({ state }) => state === "up");
    await eventually(isBack, "the word of every worker that its buses are up");
    const { rooms: [room], buses } = supervisor.supervisor.roomsStatus();
    assertEquals([room!.name, room!.here], ["all", count - elsewhere.length]);
    assertEquals(room!.elsewhere.map(({ members }) => members), [elsewhere.length]);
    assertEquals(buses.map(({ name, state }) => [name, state]), [
      ["workers", "up"],
      [nats.url, "up"],
    ]);
    for (const { traffic } of buses) assert(traffic.in > 0 && traffic.out > 0);
  },
);

testWith(
  ["nats-server"],
  "a server with workers is one client of the bus, and reports its state once",
  async () => {
    const monitor = freePort();
    await using nats = await NatsServer.start({ args: ["-m", String(monitor)] });
    await using supervisor = await TestSupervisor.open([SPEC, "--bus", nats.url]);
    await using other = await TestServer.open(SPEC, "--bus", nats.url);
    await other.event("bus-connected");
    await supervisor.until(() => supervisor.count("bus-connected") > 0);
    using guests = new DisposableStack();
    const parts = await joinWorkers(supervisor, 9, guests);
    const elsewhere = guests.use(await ChatClient.join(other.port()));
    for (const [first] of parts) await first!.countsMembers(parts.flat().length + 1);
    await elsewhere.countsMembers(parts.flat().length + 1);

    const asked = await fetch(`http://127.0.0.1:${monitor}/connz?subs=1&sort=cid`);
    const { connections } = await asked.json() as NatsConnections;
    assertEquals(connections.length, 2);
    const subjects = connections[0]!.subscriptions_list;
    assertEquals(new Set(subjects).size, subjects.length, `each subject once: ${subjects}`);

    await nats.kill();
    await supervisor.until(() => supervisor.count("bus-disconnected") > 0);
    await nats.start();
    await supervisor.until(() => supervisor.count("bus-connected") > 1);
    for (const [first] of parts) await first!.receivesNotice(/^\* bus connected again$/);
    assertEquals([supervisor.count("bus-connected"), supervisor.count("bus-disconnected")], [2, 1]);
    const [, bus] = supervisor.supervisor.roomsStatus().buses;
    assertEquals([bus!.state, bus!.reconnects, bus!.traffic.dropped], ["up", 1, 0]);
  },
);

testWith(
  ["nats-server"],
  "with workers, too, JetStream stores lines for new members, without further setup",
  async () => {
    await using nats = await NatsServer.start({ jetstream: true });
    const newcomerIsShown = async (server: TestSupervisor, line: string) => {
      using newcomer = await ChatClient.join(server.port());
      await newcomer.sendLine("/who");
      await newcomer.receivesNotice(/ here: /);
      return newcomer.messages.some((sent) => sent.endsWith(`> ${line}`));
    };
    {
      await using before = await TestSupervisor.open([HISTORY, "--bus", nats.url]);
      using alice = await ChatClient.join(before.port());
      for (let i = 0; !await newcomerIsShown(before, `remember ${i - 1}`); i++) {
        await alice.sendLine(`remember ${i}`);
      }
      await alice.sendLine("remember me");
      await eventually(() => newcomerIsShown(before, "remember me"), "the history of every worker");
    }
    await using after = await TestSupervisor.open([HISTORY, "--bus", nats.url]);
    await eventually(() => newcomerIsShown(after, "remember me"), "what the bus remembers");
  },
);

Deno.test("a room that no worker has is not listed", async () => {
  await using supervisor = await TestSupervisor.open(["chat://:0?room=all", "echo://:0"]);
  const rooms = () => supervisor.supervisor.roomsStatus().rooms.map(({ name }) => name);
  await eventually(() => rooms().length === 1, "the room");
  const guest = await ChatClient.join(supervisor.port());
  await supervisor.supervisor.change(configOf(["echo://:0", "--workers", String(WORKERS)]));
  guest[Symbol.dispose]();
  await eventually(() => rooms().length === 0, "the room's end");
});
