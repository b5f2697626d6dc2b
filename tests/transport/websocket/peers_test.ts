/** Who a WebSocket's client is, whether it is alive, and how much of what it sends is held. */
import { assert, assertEquals } from "@std/assert";
import { noise, readAll, send, sha256 } from "../../harness/bytes.ts";
import { eventually, settled } from "../../harness/eventually.ts";
import { frame, RawWebSocket } from "../../harness/frames.ts";
import { TestServer } from "../../harness/server.ts";

/** The most that may be held of one direction, in bytes. */
const MOST_HELD = 1024 * 1024;

async function open(server: TestServer, fields = {}): Promise<RawWebSocket> {
  return await RawWebSocket.open(await server.connect(), fields);
}

Deno.test("the first subprotocol that both know is agreed on, by default websockify's", async () => {
  const cases = [
    ["echo+ws://:0", "base64, binary", "binary"],
    ["echo+ws://:0", "chat", undefined],
    ["echo+ws://:0?subprotocol=mqtt,chat", "chat, mqtt", "mqtt"],
    ["echo+ws://:0?subprotocol=mqtt", "binary", undefined],
  ] as const;
  for (const [spec, offered, agreed] of cases) {
    await using server = await TestServer.open(spec);
    using _client = await open(server, { "Sec-WebSocket-Protocol": offered });
    assertEquals((await server.event("opened")).notes?.subprotocol, agreed);
  }
});

Deno.test("a client that answers no ping is closed; one that answers stays", async () => {
  await using server = await TestServer.open("echo+ws://:0?ping=100ms");
  using _silent = await open(server);
  await server.event("opened");
  using alive = await open(server);
  let pings = 0;
  for (; server.events.every(({ event }) => event !== "closed"); pings++) {
    const ping = (await alive.next())!;
    assertEquals(ping.opcode, 9);
    await alive.send(frame(10, ping.payload));
  }
  const { reason, connection } = await server.event("closed");
  assertEquals([reason, connection], ["ping timeout", (await server.event("opened")).connection]);
  await alive.send(frame(2, "x"));
  assertEquals([await alive.text(1), pings > 0], ["x", true]);
});

const FORWARDED: readonly (readonly [words: string, field: string, peer: string])[] = [
  ["?forwarded-for", "192.0.2.7", "192.0.2.7"],
  ["?forwarded-for", "10.9.9.9, 192.0.2.7", "192.0.2.7"],
  [
    "?forwarded-for&trusted-proxy=127.0.0.1&trusted-proxy=10.0.0.0/8",
    "1.1.1.1, 192.0.2.7, 10.0.0.1",
    "192.0.2.7",
  ],
  ["?forwarded-for", "[2001:db8::1]:443", "2001:db8::1"],
  ["?forwarded-for", "unknown", "127.0.0.1"],
  ["?forwarded-for&trusted-proxy=10.0.0.0/8", "192.0.2.7", "127.0.0.1"],
  ["", "192.0.2.7", "127.0.0.1"],
];

for (const [words, field, hostname] of FORWARDED) {
  Deno.test(`echo+ws://:0${words} takes X-Forwarded-For: ${field} for ${hostname}`, async () => {
    await using server = await TestServer.open(`echo+ws://:0${words}`);
    using _client = await open(server, { "X-Forwarded-For": field });
    const { peer } = await server.event("opened");
    assertEquals("hostname" in peer && peer.hostname, hostname);
  });
}

Deno.test("rules and limits are about the client that X-Forwarded-For names", async () => {
  await using server = await TestServer.open(
    "echo+ws://:0?forwarded-for&deny=192.0.2.0/24&max-per-ip=1",
  );
  const refusals: string[] = [];
  server.eventBus.subscribe((event) => event.event === "refused" && refusals.push(event.reason));
  const first = await open(server, { "X-Forwarded-For": "198.51.100.1" });
  for (const client of ["192.0.2.7", "198.51.100.1"]) {
    using refused = await open(server, { "X-Forwarded-For": client });
    assertEquals(await refused.closeCode(), 1001);
  }
  await eventually(() => refusals.length === 2);
  assertEquals(refusals, ["denied by rule", "per-address limit reached"]);
  first[Symbol.dispose]();
  await server.event("closed");
  using again = await open(server, { "X-Forwarded-For": "198.51.100.1" });
  await again.send(frame(2, "x"));
  assertEquals(await again.text(1), "x");
});

Deno.test("a slow upstream holds back its client: at most 1 MiB is held", async () => {
  using upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await TestServer.open(`forward+ws://:0?to=127.0.0.1:${upstream.addr.port}`);
  using client = await open(server);
  using conn = await upstream.accept();
  const data = noise(64 * 1024);
  const count = 1_000;
  const sending = (async () => {
    for (let n = 0; n < count; n++) await client.send(frame(2, data));
    await client.send(frame(8));
  })();
  await eventually(() => server.server.connections().next().value?.connection.sink !== undefined);
  const { connection } = server.server.connections().next().value!;
  const { flow } = connection.sink!;
  const read = await settled(() => connection.bytesIn);
  assert(read < count * data.length, "nothing was held back");
  assert(read - flow.bytesOut <= MOST_HELD, `${read - flow.bytesOut} bytes are held`);
  const all = new Uint8Array(count * data.length);
  for (let n = 0; n < count; n++) all.set(data, n * data.length);
  assertEquals(await sha256(await readAll(conn)), await sha256(all));
  await sending;
});

Deno.test("a slow client holds back the upstream: at most 1 MiB is held", async () => {
  using upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await TestServer.open(`forward+ws://:0?to=127.0.0.1:${upstream.addr.port}`);
  const client = await open(server);
  const conn = await upstream.accept();
  const data = noise(64_000_000);
  const sending = send(conn, data).then(() => conn.close());
  await eventually(() => server.server.connections().next().value?.connection.sink !== undefined);
  const { connection } = server.server.connections().next().value!;
  const flow = connection.sink!.flow as unknown as { readonly bytesIn: number };
  const read = await settled(() => flow.bytesIn);
  assert(read < data.length, "nothing was held back");
  assert(read - connection.bytesOut <= MOST_HELD, `${read - connection.bytesOut} bytes are held`);
  client.conn.close();
  await sending.catch(() => conn.close());
});
