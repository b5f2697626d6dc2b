/** BIND: the target connects to the proxy. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readFull } from "../../../src/transport/proxy/read_full.ts";
import { readAll, readText, send } from "../../harness/bytes.ts";
import { TestServer } from "../../harness/server.ts";
import { ask, COMMAND, reply } from "../../harness/socks.ts";

const LOCAL = "127.0.0.1";
const ANYBODY = { hostname: "0.0.0.0", port: 0 };

Deno.test("BIND tells where it listens and who has connected, and relays both ways", async () => {
  await using server = await TestServer.open("proxy://:0");
  for (const expected of [{ hostname: LOCAL, port: 21 }, ANYBODY]) {
    using client = await server.connect();
    await ask(client, COMMAND.bind, expected);
    const { code, hostname, port } = await reply(client);
    assertEquals([code, hostname], [0, LOCAL]);
    using target = await Deno.connect({ hostname, port });
    const second = await reply(client);
    assertEquals([second.code, second.hostname, second.port], [0, LOCAL, target.localAddr.port]);
    await assertRejects(() => Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
    await send(target, "data");
    await target.closeWrite();
    assertEquals(await readText(client), "data");
    await send(client, "thanks");
    await client.closeWrite();
    assertEquals(await readText(target), "thanks");
  }
  const { notes, reason } = await server.event("closed");
  assertEquals([notes?.request, reason], ["socks5 bind", "peer closed"]);
  assertMatch(String(notes?.upstream), /^127\.0\.0\.1:\d+$/);
});

Deno.test("BIND of SOCKS 4 answers twice, too", async () => {
  await using server = await TestServer.open("proxy://:0");
  using client = await server.connect();
  await send(client, Uint8Array.of(4, 2, 0, 21, 127, 0, 0, 1, 0));
  const [, code, high = 0, low = 0, ...address] = await readFull(client, 8);
  assertEquals([code, address], [90, [127, 0, 0, 1]]);
  using target = await Deno.connect({ hostname: LOCAL, port: high << 8 | low });
  assertEquals((await readFull(client, 8))[1], 90);
  await send(client, "x");
  await client.closeWrite();
  assertEquals(await readText(target), "x");
});

Deno.test("BIND takes no connection of somebody else, and goes on waiting", async () => {
  await using server = await TestServer.open("proxy://:0");
  const client = await server.connect();
  await ask(client, COMMAND.bind, { hostname: "127.0.0.2", port: 0 });
  const { port } = await reply(client);
  using stranger = await Deno.connect({ hostname: LOCAL, port });
  assertEquals((await readAll(stranger).catch(() => new Uint8Array())).length, 0);
  client.close();
  const { notes, reason } = await server.event("closed");
  assertEquals([notes?.["bind-refused"], reason], [1, "refused: ended before anybody connected"]);
});

Deno.test("the listener of BIND is closed with its client", async () => {
  await using server = await TestServer.open("proxy://:0");
  const client = await server.connect();
  await ask(client, COMMAND.bind, ANYBODY);
  const { port } = await reply(client);
  for (const { connection } of server.server.connections()) {
    connection.close("closed by the operator");
  }
  await server.event("closed");
  await assertRejects(() => Deno.connect({ hostname: LOCAL, port }), Deno.errors.ConnectionRefused);
  client.close();
});

Deno.test("rules are about those who connect to BIND, too", async () => {
  await using server = await TestServer.open("proxy://:0?to-allow=192.0.2.0/24");
  using named = await server.connect();
  await ask(named, COMMAND.bind, { hostname: LOCAL, port: 0 });
  assertEquals((await reply(named)).code, 2);
  using client = await server.connect();
  await ask(client, COMMAND.bind, ANYBODY);
  const { port } = await reply(client);
  using stranger = await Deno.connect({ hostname: LOCAL, port });
  assertEquals((await readAll(stranger).catch(() => new Uint8Array())).length, 0);
});

Deno.test("through another proxy there is no BIND and no UDP ASSOCIATE, and the reply says so", async () => {
  await using server = await TestServer.open("proxy://:0?via=socks5://127.0.0.1:9");
  for (const command of [COMMAND.bind, COMMAND.associate]) {
    using client = await server.connect();
    await ask(client, command, ANYBODY);
    assertEquals((await reply(client)).code, 7);
  }
});
