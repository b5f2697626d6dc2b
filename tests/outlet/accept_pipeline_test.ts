/** A connection counts against limits from accept on, and each stage has a time limit. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bytesOf, readText, readUntil, send } from "../harness/bytes.ts";
import { from, TestServer } from "../harness/server.ts";

/** The number of accepted connections of a port of 127.0.0.1: one in the accept queue has no inode (proc_net_tcp). */
async function acceptedConnections(port: number): Promise<number> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (await Deno.readTextFile("/proc/net/tcp")).split("\n").map((row) =>
    row.trim().split(/\s+/)
  );
  return rows.filter((row) => row[1] === local && row[3] === ESTABLISHED && row[9] !== "0").length;
}

/** The state of a connection in /proc/net/tcp. */
const ESTABLISHED = "01";

Deno.test("connections without a PROXY header hold slots until they time out, and no more than the limit", async () => {
  await using server = await TestServer.open("echo://:0?accept-proxy&max-connections=3");
  using clients = new DisposableStack();
  for (let i = 0; i < 3; i++) clients.use(await server.connect());
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
  const accepted = await acceptedConnections(server.port());
  assert(accepted <= 4, `${accepted} are accepted, and 3 have a slot`);
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
