import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { parseServerArgs } from "../../src/cli/server_args.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { delay } from "@std/async/delay";
import { addressOf } from "../../src/endpoint/address.ts";
import { proxyHeader } from "../../src/transport/proxy_protocol.ts";
import { bytesOf, noise, readAll, readText, readUntil, send, sha256 } from "../harness/bytes.ts";
import { settled } from "../harness/eventually.ts";
import { freePort } from "../harness/ports.ts";
import { silentPort } from "../harness/silent_port.ts";
import { from, TestServer } from "../harness/server.ts";

const LOCAL = { hostname: "127.0.0.1" };

/**
 * Serves every connection of a listener until it is closed; the returned promise waits for all of
 * them.
 */
async function serveEach(
  listener: Deno.Listener,
  serve: (connection: Deno.Conn) => Promise<void>,
): Promise<void> {
  const served: Promise<void>[] = [];
  try {
    for (;;) {
      const connection = await listener.accept();
      served.push(serve(connection).catch(() => {}).finally(() => connection.close()));
    }
  } catch {
    await Promise.all(served);
  }
}

/** A server that sends its name to every client. */
function naming(name: string, port = 0): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ ...LOCAL, port });
  const served = serveEach(listener, (connection) => send(connection, name));
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await served;
    },
  };
}

async function ask(server: TestServer): Promise<string> {
  using client = await server.connect();
  return await readText(client);
}

Deno.test("forward relays any number of bytes in both directions", async () => {
  await using upstream = await TestServer.open("echo://:0");
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${upstream.port()}`);
  using client = await server.connect();
  const bytes = noise(8_000_000);
  const [answer] = await Promise.all([
    readAll(client),
    send(client, bytes).then(() => client.closeWrite()),
  ]);
  assertEquals(await sha256(answer), await sha256(bytes));
  const { bytesIn, bytesOut, notes } = await server.event("closed");
  assertEquals({ bytesIn, bytesOut }, { bytesIn: bytes.length, bytesOut: bytes.length });
  assertEquals(notes, { upstream: `127.0.0.1:${upstream.port()}` });
});

Deno.test("forward passes on the client's half-close, and leaves the other direction open", async () => {
  using listener = Deno.listen({ ...LOCAL, port: 0 });
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${listener.addr.port}`);
  using client = await server.connect();
  using upstream = await listener.accept();
  await send(client, "all I have");
  await client.closeWrite();
  assertEquals(await readText(upstream), "all I have");
  await send(upstream, "and still ");
  assertEquals(await readUntil(client, /still /), "and still ");
  await send(upstream, "an answer");
  await upstream.closeWrite();
  assertEquals(await readText(client), "an answer");
  assertEquals((await server.event("closed")).reason, "peer closed");
});

Deno.test("forward passes on the upstream's half-close, and leaves the other direction open", async () => {
  using listener = Deno.listen({ ...LOCAL, port: 0 });
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${listener.addr.port}`);
  using client = await server.connect();
  using upstream = await listener.accept();
  await send(upstream, "greeting");
  await upstream.closeWrite();
  assertEquals(await readText(client), "greeting");
  await send(client, "and still ");
  assertEquals(await readUntil(upstream, /still /), "and still ");
  await send(client, "an answer");
  await client.closeWrite();
  assertEquals(await readText(upstream), "an answer");
  await server.event("closed");
});

Deno.test("forward relays from an upstream that sends first", async () => {
  await using upstream = await TestServer.open("daytime://:0");
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${upstream.port()}`);
  assertMatch(await ask(server), /GMT\r\n$/);
});

Deno.test("forward connects to a Unix socket", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/named.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const served = serveEach(listener, (connection) => send(connection, "by path"));
  try {
    await using server = await TestServer.open(`forward://:0?to=unix:${path}`);
    assertEquals(await ask(server), "by path");
    assertEquals((await server.event("closed")).notes, { upstream: `unix:${path}` });
  } finally {
    listener.close();
    await served;
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("forward looks up a host name", async () => {
  await using upstream = naming("found");
  await using server = await TestServer.open(`forward://:0?to=localhost:${upstream.port}`);
  assertEquals(await ask(server), "found");
});

Deno.test("forward applies backpressure to a client whose upstream does not read", async () => {
  using listener = Deno.listen({ ...LOCAL, port: 0 });
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${listener.addr.port}`);
  const client = await server.connect();
  const upstream = await listener.accept();
  const sending = send(client, new Uint8Array(100_000_000)).catch(() => {});
  await server.event("opened");
  const [live] = [...server.server.connections()];
  const taken = await settled(() => live!.connection.bytesIn);
  assert(taken < 30_000_000, `${taken} bytes were taken in`);
  upstream.close();
  client.close();
  await sending;
});

Deno.test("forward resets both sides if the upstream takes nothing for the write timeout", async () => {
  using listener = Deno.listen({ ...LOCAL, port: 0 });
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${listener.addr.port}&write-timeout=200ms`,
  );
  using client = await server.connect();
  using upstream = await listener.accept();
  await assertRejects(() => send(client, new Uint8Array(100_000_000)));
  assertEquals((await server.event("closed")).reason, "upstream write timeout");
  await assertRejects(() => readAll(upstream), Deno.errors.ConnectionReset);
});

Deno.test("forward resets an upstream that takes nothing while the client does not read its answers", async () => {
  // The upstream reads only after its answer has been taken, as simple servers do.
  await using upstream = await TestServer.open("echo://:0");
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${upstream.port()}`);
  const client = await server.connect();
  const sending = send(client, new Uint8Array(64 * 1024 * 1024)).catch(() => {});
  // All buffers are full, in both directions.
  await settled(() => [...server.server.connections()][0]?.connection.bytesOut ?? 0);
  // There is unread data, so closing sends a RST.
  client.close();
  await sending;
  await server.event("closed");
  await upstream.event("closed");
});

Deno.test("forward aborts both sides at the end of the drain timeout", async () => {
  using listener = Deno.listen({ ...LOCAL, port: 0 });
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${listener.addr.port}`);
  using client = await server.connect();
  using upstream = await listener.accept();
  await client.closeWrite();
  assertEquals(await readText(upstream), "");
  assertEquals(await server.server.stop({ grace: 0 }), 1);
  assertEquals(await readText(client).catch(() => ""), "");
});

Deno.test("forward uses upstreams in turn (round robin)", async () => {
  await using one = naming("1");
  await using two = naming("2");
  await using three = naming("3");
  const addresses = [one, two, three].map(({ port }) => `127.0.0.1:${port}`).join(",");
  await using server = await TestServer.open(`forward://:0?to=${addresses}`);
  let answers = "";
  for (let i = 0; i < 6; i++) answers += await ask(server);
  assertEquals(answers, "123123");
});

Deno.test("forward uses the first available upstream with balance=first", async () => {
  await using one = naming("1");
  await using two = naming("2");
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${one.port}&to=127.0.0.1:${two.port}&balance=first`,
  );
  assertEquals(await ask(server) + await ask(server) + await ask(server), "111");
});

Deno.test("forward uses the upstream with the fewest connections with balance=least-connections", async () => {
  await using upstream = await TestServer.open("echo://:0", "echo://:0");
  const [one, two] = [upstream.port(0), upstream.port(1)];
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${one},127.0.0.1:${two}&balance=least-connections`,
  );
  const clients = [await server.connect(), await server.connect()];
  for (const client of clients) {
    await send(client, "x");
    await readUntil(client, /x/);
  }
  const addresses = upstream.events.flatMap((event) =>
    event.event === "opened" ? [JSON.stringify(event.address)] : []
  );
  assertEquals(new Set(addresses).size, 2, "one client each");
  for (const client of clients) client.close();
});

Deno.test("forward skips an upstream that refuses, uses the next one at once, and reports it", async () => {
  const dead = freePort();
  await using alive = naming("alive");
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${dead},127.0.0.1:${alive.port}`,
  );
  for (let i = 0; i < 5; i++) assertEquals(await ask(server), "alive");
  assertMatch(
    (await server.event("failed")).reason,
    new RegExp(
      `cannot connect to 127\\.0\\.0\\.1:${dead}: connection refused.*; not used for 500 ms`,
    ),
  );
  assertEquals(server.events.filter(({ event }) => event === "failed").length, 1);
});

Deno.test("forward skips an upstream that does not answer within connect-timeout", async () => {
  using stack = new DisposableStack();
  const unanswering = (await silentPort(stack)).addr;
  await using alive = naming("alive");
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${unanswering.port},127.0.0.1:${alive.port}&connect-timeout=5s`,
  );
  assertEquals(await ask(server), "alive");
  assertMatch((await server.event("failed")).reason, /timed out after 5/);
});

Deno.test("forward resets the client if no upstream is available, and reports each failure", async () => {
  const [one, two] = [freePort(), freePort()];
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${one}&to=unix:/nowhere/at.sock&to=127.0.0.1:${two}`,
  );
  await assertRejects(() => ask(server), Deno.errors.ConnectionReset);
  const { reason } = await server.event("closed");
  assertMatch(
    reason,
    new RegExp(
      `error: no upstream available: .*:${one}: connection refused.*;.*/nowhere/at.sock: no such file` +
        `.*:${two}: connection refused`,
    ),
  );
});

Deno.test("forward tries a single upstream for every client, even after failures", async () => {
  const port = freePort();
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${port}`);
  for (let i = 0; i < 4; i++) {
    await assertRejects(() => ask(server), Deno.errors.ConnectionReset);
  }
  await using _ = naming("back", port);
  assertEquals(await ask(server), "back");
  assertMatch((await server.event("recovered")).text, /127\.0\.0\.1:\d+ is up again/);
});

Deno.test("forward's health checks notice without clients that an upstream is down, and that it is up again", async () => {
  const port = freePort();
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${port}&check=20ms`);
  await server.event("failed");
  await using _ = naming("back", port);
  await server.event("recovered");
});

Deno.test("forward leaves no client waiting while upstreams stop and restart under load", async () => {
  await using steady = naming("steady");
  const port = freePort();
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${port},127.0.0.1:${steady.port}`,
  );
  let over = false;
  let answered = 0;
  const answers = new Set<string>();
  // An upstream that stops may have just accepted a connection: its client gets no answer, but the
  // connection ends.
  const loop = async () => {
    for (; !over; answered++) answers.add(await ask(server).catch(() => ""));
  };
  const loops = Promise.all(Array.from({ length: 16 }, loop));
  try {
    for (let round = 0; round < 3; round++) {
      await using _shaky = naming("shaky", port);
      const goal = answered + 100;
      while (answered < goal) await delay(5);
    }
  } finally {
    // Without a server, they would take the whole thread.
    over = true;
    await loops;
  }
  assert(answered >= 300);
  assertEquals([...answers].filter((answer) => !/^(steady|shaky|)$/.test(answer)), []);
});

for (const version of ["v1", "v2"] as const) {
  Deno.test(`forward sends the client's address with send-proxy=${version}`, async () => {
    using listener = Deno.listen({ ...LOCAL, port: 0 });
    await using server = await TestServer.open(
      `forward://:0?to=127.0.0.1:${listener.addr.port}&send-proxy=${version}`,
    );
    using client = await server.connect();
    using upstream = await listener.accept();
    await send(client, "hello");
    await client.closeWrite();
    const ends = {
      source: addressOf(client.localAddr),
      destination: addressOf(client.remoteAddr),
    };
    const expected = [...proxyHeader(version, ends), ...bytesOf("hello")];
    assertEquals([...await readAll(upstream)], expected);
  });
}

Deno.test("forward stops connecting when the client's connection is closed", async () => {
  using unanswering = Deno.listen({ ...LOCAL, port: 0, tcpBacklog: 1 });
  const fill = { ...LOCAL, port: unanswering.addr.port };
  const filling = [await Deno.connect(fill), await Deno.connect(fill)];
  await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${fill.port}`);
  using client = await server.connect();
  await server.event("opened");
  assertEquals(await server.server.stop({ grace: 0 }), 1);
  assertEquals((await server.event("closed")).reason, "drain timeout");
  assertEquals(await readText(client).catch(() => ""), "");
  for (const connection of filling) connection.close();
});

Deno.test("forward refuses health checks without an interval, and a timeout of 0", () => {
  for (const option of ["check", "connect-timeout"]) {
    assertThrows(
      () => parseServerArgs([`forward://:0?to=127.0.0.1:1&${option}=0s`]),
      UsageError,
      `${option} cannot be 0`,
    );
  }
});

Deno.test("a forwarding loop is ended and reported", async () => {
  const port = freePort();
  await using one = await TestServer.open(`forward://:0?to=127.0.0.1:${port}`);
  await using other = await TestServer.open(`forward://:${port}?to=127.0.0.1:${one.port()}`);
  using client = await one.connect();
  await assertRejects(() => readText(client), Deno.errors.ConnectionReset);
  await one.event("closed", from(client));
  for (const { server } of [one, other]) await server.stop({ grace: 20_000 });
  const reasons = [...one.events, ...other.events].flatMap((event) =>
    event.event === "closed" ? [event.reason] : []
  );
  assert(reasons.length < 50, `${reasons.length} connections of one client`);
  assert(reasons.some((reason) => /forwarding loop/.test(reason)), reasons.join("; "));
});
