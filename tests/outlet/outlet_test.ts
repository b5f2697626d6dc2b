import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { OutletEvent } from "../../src/events/events.ts";
import { formatAddress } from "../../src/endpoint/address.ts";
import { from, TestServer } from "../harness/server.ts";
import { freePort, isClosed } from "../harness/ports.ts";
import { ResettingClient } from "../harness/resetting_client.ts";
import { readAll, readUntil, send } from "../harness/bytes.ts";

Deno.test("each client has a connection with a number and counters of its own", async () => {
  await using server = await TestServer.open("echo://:0");
  for (const text of ["one", "three"]) {
    using client = await server.connect();
    await send(client, text);
    await client.closeWrite();
    await readAll(client);
    const closed = await server.event("closed", from(client));
    assertEquals([closed.bytesIn, closed.bytesOut], [text.length, text.length]);
  }
  const numbers = server.events.filter(({ event }) => event === "opened")
    .map((event) => (event as Extract<OutletEvent, { event: "opened" }>).connection);
  assertEquals(new Set(numbers).size, 2);
});

Deno.test("500 clients that connect at once are all served", async () => {
  await using server = await TestServer.open("echo://:0");
  const clients = await Promise.all(Array.from({ length: 500 }, () => server.connect()));
  await Promise.all(clients.map((client, i) => send(client, `client ${i}\n`)));
  const answers = await Promise.all(clients.map((client) => readUntil(client, /\n/)));
  assertEquals(answers, clients.map((_, i) => `client ${i}\n`));
  for (const client of clients) client.close();
});

Deno.test("1,000 clients that reset before they are accepted have no effect on the outlet", async () => {
  await using server = await TestServer.open("echo://:0");
  // No await until here, so the outlet in this process cannot have accepted yet.
  for (let i = 0; i < 1000; i++) new ResettingClient(server.port())[Symbol.dispose]();
  using client = await server.connect();
  await send(client, "still here\n");
  assertEquals(await readUntil(client, /\n/), "still here\n");
  const faults = server.events.filter((event) => event.event === "failed");
  assertEquals(faults.filter(({ code }) => code !== "ENOTCONN"), []);
});

Deno.test('a connection that the client resets ends with the reason "peer reset"', async () => {
  await using server = await TestServer.open("echo://:0");
  {
    using _rude = new ResettingClient(server.port());
    await server.event("opened");
  }
  assertEquals((await server.event("closed")).reason, "peer reset");
});

Deno.test("an outlet stopped during a burst of connections does not wait for those not yet accepted", async () => {
  const server = await TestServer.open("echo://:0");
  using clients = new DisposableStack();
  for (let i = 0; i < 500; i++) clients.use(new ResettingClient(server.port()));
  const started = () => server.events.filter(({ event }) => event === "opened").length;
  while (started() < 32) await new Promise((resolve) => setTimeout(resolve));
  await server.server.stop({ grace: 0 });
});

Deno.test("a stopping outlet accepts no new clients, and lets connected clients finish", async () => {
  const server = await TestServer.open("echo://:0");
  using client = await server.connect();
  await server.event("opened");
  const stopped = server.server.stop({ grace: 20_000 });
  await isClosed(client.remoteAddr.port);
  await send(client, "last words\n");
  assertEquals(await readUntil(client, /\n/), "last words\n");
  await client.closeWrite();
  assertEquals(await stopped, 0);
  assertEquals((await server.event("stopped")).aborted, 0);
});

Deno.test("a client that does not finish within the drain timeout is aborted and counted", async () => {
  const server = await TestServer.open("echo://:0");
  using client = await server.connect();
  await server.event("opened");
  assertEquals(await server.server.stop({ grace: 10 }), 1);
  assertEquals((await readAll(client)).length, 0);
  assertEquals((await server.event("closed")).reason, "drain timeout");
  assertEquals((await server.event("stopped")).aborted, 1);
});

Deno.test("if one outlet cannot be opened, none stays open, and the error has its address and the reason", async () => {
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [taken, other] = [occupant.addr.port, freePort()];
  const error = await assertRejects(
    () => TestServer.open(`echo://:${other}`, `chat://:${taken}`),
    Error,
  );
  assert(error.message.startsWith(`cannot listen on 127.0.0.1:${taken}: address already in use`));
  using again = Deno.listen({ hostname: "127.0.0.1", port: other });
  assertEquals(again.addr.port, other);
});

Deno.test("a client of [::] that connected over IPv4 has an IPv4 address", async () => {
  await using server = await TestServer.open("echo://[::]:0");
  using _client = await server.connect();
  assertMatch(formatAddress((await server.event("opened")).peer), /^127\.0\.0\.1:\d+$/);
});
