/** SOCKS 4, 4a and 5, byte by byte. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { refusalOf } from "../../../src/services/proxy/connector.ts";
import { socks5 } from "../../../src/services/proxy/socks5.ts";
import { DialTimeout } from "../../../src/transport/dial_error.ts";
import { LookupError } from "../../../src/transport/lookup_error.ts";
import { sendReset } from "../../../src/transport/reset.ts";
import { bytesOf, readAll, readText, readUntil, send } from "../../harness/bytes.ts";
import { eventually } from "../../harness/eventually.ts";
import { freePort } from "../../harness/ports.ts";
import { TestServer } from "../../harness/server.ts";
import { addressBytes, ask, COMMAND, reply } from "../../harness/socks.ts";
import { readFull } from "../../../src/transport/proxy/read_full.ts";

const LOCAL = "127.0.0.1";

Deno.test("SOCKS 5 connects to an address and to a name, and replies with the proxy's own end", async () => {
  using target = Deno.listen({ hostname: LOCAL, port: 0 });
  await using server = await TestServer.open("proxy://:0");
  for (const hostname of [LOCAL, "localhost"]) {
    using client = await server.connect();
    await ask(client, COMMAND.connect, { hostname, port: target.addr.port });
    const { code, hostname: host, port } = await reply(client);
    using accepted = await target.accept();
    assertEquals([code, host, port], [0, LOCAL, accepted.remoteAddr.port]);
    await send(client, "question");
    await client.closeWrite();
    assertEquals(await readText(accepted), "question");
    await send(accepted, "answer");
    await accepted.closeWrite();
    assertEquals(await readText(client), "answer");
    const { reason, notes } = await server.event(
      "closed",
      ({ notes }) => notes?.target === `${hostname}:${target.addr.port}`,
    );
    assertEquals(reason, "peer closed");
    assertEquals(notes?.request, "socks5 connect");
    assertEquals(notes?.upstream, `${LOCAL}:${target.addr.port}`);
  }
});

Deno.test("SOCKS 4 connects to an address, and SOCKS 4a to a name", async () => {
  await using server = await TestServer.open("proxy://:0", "daytime://:0");
  const port = server.port(1);
  for (
    const address of [[127, 0, 0, 1, ...bytesOf("me\0")], [
      ...[0, 0, 0, 1],
      ...bytesOf("me\0localhost\0"),
    ]]
  ) {
    using client = await server.connect();
    await send(client, Uint8Array.of(4, 1, port >> 8, port & 0xff, ...address));
    assertEquals([...(await readFull(client, 8)).subarray(0, 2)], [0, 90]);
    assertMatch(await readText(client), /GMT/);
  }
});

Deno.test("a request byte by byte is served like one at once, and what follows it reaches the target", async () => {
  await using server = await TestServer.open("proxy://:0", "echo://:0");
  const request = [
    ...[5, 1, 0, 5, COMMAND.connect, 0],
    ...addressBytes({ hostname: LOCAL, port: server.port(1) }),
    ...bytesOf("early"),
  ];
  for (const size of [1, request.length]) {
    using client = await server.connect();
    client.setNoDelay(true);
    for (let at = 0; at < request.length; at += size) {
      await send(client, Uint8Array.from(request.slice(at, at + size)));
    }
    await readFull(client, 2);
    assertEquals((await reply(client)).code, 0);
    await readUntil(client, /early/);
  }
});

Deno.test("what cannot be reached is told with the codes of SOCKS, and in the event", async () => {
  await using server = await TestServer.open("proxy://:0?to-deny=10.0.0.0/8");
  const cases = [
    [COMMAND.connect, LOCAL, freePort(), 5, /^refused: cannot connect .* connection refused/],
    [COMMAND.connect, "10.1.2.3", 80, 2, /^refused: 10\.1\.2\.3: denied by to-deny$/],
    [COMMAND.connect, "a b", 80, 4, /^refused: what it asks for is no host name$/],
    [COMMAND.connect, LOCAL, 0, 1, /^refused: port 0 /],
    [9, LOCAL, 80, 7, /^refused: command 9 of SOCKS 5$/],
  ] as const;
  for (const [command, hostname, port, code, reason] of cases) {
    using client = await server.connect();
    await ask(client, command, { hostname, port });
    assertEquals((await reply(client)).code, code, hostname);
    assertEquals((await readAll(client)).length, 0);
    await server.event("closed", (event) => reason.test(event.reason));
  }
});

Deno.test("an address type that SOCKS 5 does not have is told as such", async () => {
  await using server = await TestServer.open("proxy://:0");
  using client = await server.connect();
  await send(client, Uint8Array.of(5, 1, 0, 5, 1, 0, 9));
  await readFull(client, 2);
  assertEquals((await reply(client)).code, 8);
});

Deno.test("a client that offers no method that is needed is told so", async () => {
  await using server = await TestServer.open("proxy://:0");
  using client = await server.connect();
  await send(client, Uint8Array.of(5, 1, 2));
  assertEquals([...await readAll(client)], [5, 0xff]);
  await server.event("closed", ({ reason }) => /no method that needs no password/.test(reason));
});

Deno.test("SOCKS 4 answers what it cannot do with 91", async () => {
  await using server = await TestServer.open("proxy://:0?to-deny=127.0.0.0/8");
  for (const command of [1, 3]) {
    using client = await server.connect();
    await send(client, Uint8Array.of(4, command, 0, 80, 127, 0, 0, 1, 0));
    assertEquals([...await readAll(client)], [0, 91, 0, 0, 0, 0, 0, 0]);
  }
});

Deno.test("a client that speaks neither SOCKS nor HTTP is closed, and the event says so", async () => {
  await using server = await TestServer.open("proxy://:0");
  for (
    const [first, reason] of [
      ["SSH-2.0-x\r\n", /no HTTP request/],
      ["\x16\x03\x01", /TLS ClientHello/],
      ["\x00\x00", /neither SOCKS 4 or 5 nor HTTP/],
    ] as const
  ) {
    using client = await server.connect();
    await send(client, first);
    await readAll(client);
    await server.event("closed", (event) => reason.test(event.reason));
  }
});

Deno.test("fields without an end are cut off at their limits", async () => {
  await using server = await TestServer.open("proxy://:0");
  using user = await server.connect();
  await send(user, Uint8Array.of(4, 1, 0, 80, 127, 0, 0, 1, ...new Array(300).fill(97)));
  await readAll(user);
  await server.event("closed", ({ reason }) => reason === "refused: a field of over 255 bytes");
  using head = await server.connect();
  await send(head, `GET http://localhost/ HTTP/1.1\r\nA: ${"a".repeat(20_000)}`);
  assertMatch(await readText(head), /^HTTP\/1\.1 400 /);
});

Deno.test("a client that does not complete its request is closed after 10 seconds", async () => {
  await using server = await TestServer.open("proxy://:0");
  const begun = [[5], [5, 1, 0, 5, 1], [4, 1, 0, 80], [...bytesOf("GET http://localhost")], []];
  const clients = await Promise.all(begun.map(async (bytes) => {
    const client = await server.connect();
    await send(client, Uint8Array.from(bytes));
    return client;
  }));
  await Promise.all(clients.map(async (client) => {
    await readAll(client);
    client.close();
  }));
  const reasons = () =>
    server.events.flatMap((event) => event.event === "closed" ? event.reason : []);
  await eventually(() => reasons().length === begun.length);
  assertEquals(reasons(), begun.map(() => "refused: no complete request in 10.0 s"));
});

Deno.test("a reset of the target is passed on to the client", async () => {
  using target = Deno.listen({ hostname: LOCAL, port: 0 });
  await using server = await TestServer.open("proxy://:0");
  using client = await server.connect();
  await ask(client, COMMAND.connect, { hostname: LOCAL, port: target.addr.port });
  await reply(client);
  using accepted = await target.accept();
  assert(sendReset(accepted));
  await assertRejects(() => readAll(client), Deno.errors.ConnectionReset);
  assertEquals((await server.event("closed")).reason, "upstream reset");
});

Deno.test("a reset of the client is passed on to the target", async () => {
  using target = Deno.listen({ hostname: LOCAL, port: 0 });
  await using server = await TestServer.open("proxy://:0");
  using client = await server.connect();
  await ask(client, COMMAND.connect, { hostname: LOCAL, port: target.addr.port });
  await reply(client);
  using accepted = await target.accept();
  assert(sendReset(client));
  await assertRejects(() => readAll(accepted), Deno.errors.ConnectionReset);
  assertEquals((await server.event("closed")).reason, "peer reset");
});

Deno.test("each failure to connect has its code", () => {
  const kinds = [
    [Object.assign(new Error(), { code: "ENETUNREACH" }), 3],
    [Object.assign(new Error(), { code: "EHOSTUNREACH" }), 4],
    [Object.assign(new Error(), { code: "ECONNREFUSED" }), 5],
    [new DialTimeout("late", "connect"), 4],
    [new LookupError({ code: "ENOTFOUND" }, { elapsed: 1 }), 4],
    [new Error("anything else"), 1],
  ] as const;
  for (const [cause, code] of kinds) {
    const refusal = refusalOf(new Error("cannot connect", { cause }));
    assertEquals(socks5(undefined).refused(refusal)[1], code, cause.message);
  }
});
