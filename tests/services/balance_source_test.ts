/** `balance=source`: a client's address chooses its upstream. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { rankedFor } from "../../src/services/forward/rendezvous.ts";
import { connect } from "../../src/library/client.ts";
import { UdpClient } from "../harness/datagrams.ts";
import { configOf, TestServer } from "../harness/server.ts";

const UPSTREAMS = ["a", "b", "c", "d"].map((name) => ({ name: `10.0.0.1:${name}` }));
const CLIENTS = Array.from({ length: 4_000 }, (_, n) => `192.0.${n >> 8}.${n & 255}`);

Deno.test("clients are spread evenly, and only those of a removed upstream move", () => {
  const firstOf = (client: string, among = UPSTREAMS) => rankedFor(client, among)[0]!.name;
  const shares = Map.groupBy(CLIENTS, (client) => firstOf(client));
  for (const { name } of UPSTREAMS) {
    const share = shares.get(name)!.length / CLIENTS.length;
    assert(share > 0.22 && share < 0.28, `${name} has ${share}`);
  }
  const [removed, ...others] = UPSTREAMS;
  const moved = CLIENTS.filter((client) => firstOf(client) !== firstOf(client, others));
  assertEquals(moved, shares.get(removed!.name));
});

Deno.test("a client address gets the same upstream each time, and the next one if it is down", async () => {
  await using one = await TestServer.open("daytime://:0");
  await using two = await TestServer.open("daytime://:0");
  const to = [one, two].map((server) => `127.0.0.1:${server.port()}`);
  await using server = await TestServer.open(`forward://:0?to=${to}&balance=source`);
  const upstreamOf = async (source: string) => {
    using client = await connect(`127.0.0.1:${server.port()}`, { source });
    await client.readLine();
    const { connection } = await server.event(
      "opened",
      ({ peer }) => "hostname" in peer && peer.hostname === source,
    );
    client.close();
    const { notes } = await server.event("closed", (event) => event.connection === connection);
    server.events.length = 0;
    return notes?.upstream;
  };
  const sources = Array.from({ length: 12 }, (_, n) => `127.0.1.${n + 1}`);
  const chosen = new Map<string, unknown>();
  for (const source of sources) chosen.set(source, await upstreamOf(source));
  assertEquals(new Set(chosen.values()), new Set(to));
  for (const source of sources) assertEquals(await upstreamOf(source), chosen.get(source));
  await one.server.stop({ grace: 0 });
  for (const source of sources) assertEquals(await upstreamOf(source), to[1]);
});

Deno.test("a client address gets the same UDP upstream, from whichever port it sends", async () => {
  await using one = await TestServer.open("echo+udp://:0");
  await using two = await TestServer.open("echo+udp://:0");
  const to = [one, two].map((server) => `127.0.0.1:${server.port()}`);
  await using server = await TestServer.open(`forward+udp://:0?to=${to}&balance=source`);
  for (let asked = 0; asked < 8; asked++) {
    using client = new UdpClient(server.port());
    await client.ask("hello");
  }
  const sessions = [one, two].map(({ server }) => [...server.connections()].length);
  assertEquals(sessions.toSorted(), [0, 8]);
});

Deno.test("balance=source with one upstream is refused", () => {
  const { message } = assertThrows(() => configOf(["forward://:0?to=db:1&balance=source"]), Error);
  assertMatch(message, /balance needs several upstreams: to has only one/);
});
