/** Rooms of a server with workers, on a bus with other servers. */
import { assert, assertEquals } from "@std/assert";
import { Journal } from "../../src/observe/journal.ts";
import { isUnix } from "../../src/socket/address.ts";
import { Crew } from "../../src/workers/crew.ts";
import { converse, Guest } from "../harness/crowd.ts";
import { NatsServer } from "../harness/nats.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

const SPEC = "chat://:0?room=all";

testWith(
  ["nats-server"],
  "members of two workers and of another server are in one room, also while the bus is away",
  async () => {
    await using nats = await NatsServer.start();
    const words = [SPEC, "--bus", nats.url, "--workers", "2"];
    await using crew = await Crew.open(configOf(words), { workers: 2, journal: new Journal() });
    await using other = await TestServer.open(SPEC, "--bus", nats.url);
    await other.event("reached");
    using guests = new DisposableStack();

    const elsewhere: Guest[] = [];
    for (let i = 0; i < 3; i++) elsewhere.push(guests.use(await Guest.join(other.port())));
    // The kernel deals clients out: they come until each worker has some.
    const workers = new Map<unknown, Guest[]>();
    while (workers.size < 2 || [...workers.values()].some((part) => part.length < 3)) {
      const guest = guests.use(await Guest.join(portOf(crew)));
      const { hand } = [...crew.connections()].at(-1)!.connection;
      workers.set(hand, [...workers.get(hand) ?? [], guest]);
    }
    const parts = [elsewhere, ...workers.values()];
    const count = parts.flat().length;
    for (const [first] of parts) await first!.countsMembers(count);

    const names = await Promise.all(parts.map(async ([first]) => {
      const before = first!.told.length;
      await first!.type("/who");
      await first!.until(() => first!.told.length > before);
      return first!.told.at(-1)!.replace(/^.*: /, "").split(", ").toSorted();
    }));
    assertEquals(new Set(names[0]).size, count);
    assertEquals(names[1], names[0]);
    assertEquals(names[2], names[0]);

    let outage: Promise<unknown>;
    const faults = await converse(parts, {
      lines: 900,
      async during(said) {
        if (said === 300) outage = nats.kill().then(() => other.event("lost"));
        if (said === 600) await outage.then(() => nats.start());
      },
    });
    assertEquals(faults, []);
    for (const guest of parts.flat()) {
      assertEquals(guest.told.filter((line) => line.startsWith("* the bus")), [
        "* the bus is down: until it is back, only those on this server hear you",
        "* the bus is back",
      ]);
    }

    const [room] = crew.roomsStatus().rooms;
    assertEquals([room!.name, room!.here], ["all", count - 3]);
    assertEquals(room!.elsewhere.map(({ members }) => members), [3]);
    const [own, bus] = crew.roomsStatus().buses;
    assertEquals([own!.name, own!.state, bus!.name, bus!.state], ["workers", "up", nats.url, "up"]);
    assert(bus!.traffic.out > 0 && own!.traffic.out > 0);
  },
);

function portOf(crew: Crew): number {
  const { address } = [...crew.outlets][0]!;
  if (isUnix(address)) throw new Error("no port");
  return address.port;
}
