/** A connection counts against limits from accept on, and each stage has a time limit. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bytesOf, readText, readUntil, send } from "../harness/bytes.ts";
import { from, TestServer } from "../harness/server.ts";

/** The number of sockets of this process. */
function sockets(): number {
  const links = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.startsWith("socket:")).length;
}

Deno.test("connections without a PROXY header hold slots until they time out, and no more than the limit", async () => {
  await using server = await TestServer.open("echo://:0?accept-proxy&max-connections=3");
  using held = new DisposableStack();
  for (let i = 0; i < 3; i++) held.use(await server.connect());
  using fourth = await server.connect();
  assertEquals(await readText(fourth), "");
  assertEquals((await server.event("refused", from(fourth))).reason, "connection limit reached");
  const late = (event: { event: string; reason?: string }) =>
    event.event === "refused" && /no whole PROXY header in time/.test(event.reason!);
  await server.event("refused", late);
  using next = await server.connect();
  await send(next, bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello\n"));
  assertEquals(await readUntil(next, /\n/), "hello\n");
});

Deno.test("with when-full defer, proxied clients over the limit wait in the accept queue, without using descriptors", async () => {
  await using server = await TestServer.open(
    "echo://:0?accept-proxy&max-connections=3&when-full=defer",
    "echo://:0",
  );
  const before = sockets();
  using clients = new DisposableStack();
  const COUNT = 50;
  const proxied = [];
  for (let i = 0; i < COUNT; i++) {
    const client = clients.use(await server.connect());
    await send(client, `PROXY TCP4 192.0.2.1 192.0.2.2 ${i + 1} 2\r\nhello\n`);
    proxied.push(client);
  }
  for (const client of proxied.slice(0, 3)) await readUntil(client, /hello/);
  using other = await server.connect(1);
  await send(other, "x");
  await readUntil(other, /x/);
  const held = sockets() - before - COUNT - 2;
  assert(held <= 4, `${held} are held, and 3 have a place`);
  for (const [at, client] of proxied.entries()) {
    if (at >= 3) assertEquals(await readUntil(client, /\n/), "hello\n");
    client.close();
  }
  clients.move();
  await server.event("closed", ({ peer }) => "port" in peer && peer.port === COUNT);
});

Deno.test("a proxied client denied by its own address releases its slot", async () => {
  await using server = await TestServer.open(
    "echo://:0?accept-proxy&max-connections=1&deny=192.0.2.0/24",
  );
  for (let i = 0; i < 3; i++) {
    using denied = await server.connect();
    await send(denied, "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n");
    assertEquals(await readText(denied), "");
  }
  const reasons = server.events.flatMap((event) => event.event === "refused" ? [event.reason] : []);
  assertEquals(reasons, Array(3).fill("denied by rule"));
  using client = await server.connect();
  await send(client, "PROXY TCP4 198.51.100.1 198.51.100.2 1 2\r\nhello\n");
  assertMatch(await readUntil(client, /\n/), /hello/);
});
