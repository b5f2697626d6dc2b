/** Changes of a running server, and the limits and deadlines of its outlets. */
import { assertEquals, assertRejects } from "@std/assert";
import { acceptQueues } from "../src/telemetry/accept_queue.ts";
import { readText, readUntil, send } from "./harness/bytes.ts";
import { ResettingClient } from "./harness/resetting_client.ts";
import { configOf, from, TestServer } from "./harness/server.ts";

async function answers(client: Deno.Conn): Promise<void> {
  await send(client, "still there?\n");
  assertEquals(await readUntil(client, /\n/), "still there?\n");
}

Deno.test("a connection's slot is released when it ends, whatever the cause", async () => {
  await using room = await TestServer.open("echo://:0?max-connections=1");
  const seen = new Set<number>();
  for (const ends of ["half-closed", "closed", "reset"]) {
    using client = ends === "reset" ? new ResettingClient(room.port()) : await room.connect();
    const { connection } = await room.event("opened", (event) => !seen.has(event.connection));
    seen.add(connection);
    if (ends === "half-closed") await (client as Deno.TcpConn).closeWrite();
    else client[Symbol.dispose]();
    await room.event("closed", (event) => event.connection === connection);
  }
  using last = await room.connect();
  await answers(last);
});

Deno.test("a client over --max-connections is closed at once, and logged with its own reason", async () => {
  await using room = await TestServer.open("echo://:0?max-connections=1");
  using admitted = await room.connect();
  await answers(admitted);
  using outside = await room.connect();
  assertEquals(await readText(outside), "");
  assertEquals((await room.event("refused", from(outside))).reason, "connection limit reached");
  await answers(admitted);
});

Deno.test("with when-full defer, a client over --max-connections waits until a connection ends", async () => {
  await using room = await TestServer.open("echo://:0?when-full=defer", "--max-connections", "1");
  const first = await room.connect();
  await answers(first);
  using second = await room.connect();
  await send(second, "patience\n");
  assertEquals((await acceptQueues()).get(`127.0.0.1:${room.port()}`), 1);
  first.close();
  assertEquals(await readUntil(second, /\n/), "patience\n");
  assertEquals(room.events.some(({ event }) => event === "refused"), false);
});

Deno.test("limits of the server count the connections of all outlets, limits of an outlet only its own", async () => {
  await using room = await TestServer.open(
    "echo://:0?max-connections=2",
    "discard://:0",
    "--max-connections",
    "3",
  );
  using one = await room.connect(0);
  using two = await room.connect(0);
  await answers(one);
  await answers(two);
  using third = await room.connect(0);
  assertEquals(await readText(third), "");
  using fourth = await room.connect(1);
  await room.event("opened", from(fourth));
  using fifth = await room.connect(1);
  assertEquals(await readText(fifth), "");
  assertEquals((await room.event("refused", from(fifth))).outlet, "discard");
});

Deno.test("an idle client is closed after the idle timeout, and an active one is not", async () => {
  await using room = await TestServer.open("echo://:0?idle-timeout=200ms", "echo://:0");
  using idle = await room.connect(0);
  using other = await room.connect(1);
  assertEquals(await readText(idle), "");
  assertEquals((await room.event("closed", from(idle))).reason, "idle");
  await answers(other);
});

Deno.test("a client that reads nothing is closed after the write timeout", async () => {
  await using room = await TestServer.open("chargen://:0?write-timeout=200ms");
  using client = await room.connect();
  assertEquals((await room.event("closed", from(client))).reason, "write timeout");
});

Deno.test("a half-closed client is closed after the FIN timeout when no more data arrives", async () => {
  await using room = await TestServer.open(
    "chat://:0?fin-timeout=200ms",
    "chargen://:0?fin-timeout=200ms",
  );
  using client = await room.connect(1);
  await client.closeWrite();
  assertEquals((await room.event("closed", from(client))).reason, "fin timeout");
});

Deno.test("a changed config keeps unchanged outlets, opens new ones, and drains removed ones", async () => {
  await using room = await TestServer.open("echo://:0", "discard://:0");
  using staying = await room.connect(0);
  using leaving = await room.connect(1);
  await answers(staying);
  const [unchanged] = room.server.outlets;
  const done = await room.server.change(configOf(["echo://:0?max-connections=1", "time://:0"]));
  assertEquals(done, { opened: 1, closed: 1, changed: 1 });
  assertEquals([...room.server.outlets].map(({ name }) => name), ["echo", "time"]);
  assertEquals([...room.server.outlets][0], unchanged);
  await answers(staying);
  using refused = await room.connect(0);
  assertEquals(await readText(refused), "");
  await leaving.closeWrite();
  assertEquals(await readText(leaving), "");
  await room.event("stopped", ({ outlet }) => outlet === "discard");
});

Deno.test("a service with changed options serves new clients, and the old one serves the existing clients", async () => {
  await using room = await TestServer.open("chat://:0?room=one");
  using before = await room.connect();
  await readUntil(before, /welcome to one/);
  await room.server.change(configOf(["chat://:0?room=two"]));
  using after = await room.connect();
  await readUntil(after, /welcome to two/);
  await send(before, "/who\n");
  await readUntil(before, /1 here: guest-1/);
});

Deno.test("a config that cannot be applied changes nothing", async () => {
  await using room = await TestServer.open("echo://:0");
  const port = room.port();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: inUse } = taken.addr as Deno.NetAddr;
  await assertRejects(
    () => room.server.change(configOf([`time://:${inUse}`, "daytime://:0"])),
    Error,
    "address already in use",
  );
  assertEquals([...room.server.outlets].map(({ name }) => name), ["echo"]);
  using client = await Deno.connect({ port });
  await answers(client);
});

Deno.test("an outlet can take over the address of another", async () => {
  await using room = await TestServer.open("echo://:0");
  const port = room.port();
  await room.server.change(configOf([`echo://127.0.0.1:${port}`]));
  await room.server.change(configOf([`time://127.0.0.1:${port}`]));
  using client = await Deno.connect({ port });
  assertEquals((await new Response(client.readable).bytes()).length, 4);
});

Deno.test("outlets are opened and closed one by one", async () => {
  await using room = await TestServer.open("echo://:0");
  const [outlet] = await room.server.open(configOf(["echo://:0"]).outlets[0]!);
  using client = await room.connect(1);
  await answers(client);
  assertEquals(await room.server.close(outlet!, { grace: 0 }), 1);
  assertEquals([...room.server.outlets].length, 1);
});
