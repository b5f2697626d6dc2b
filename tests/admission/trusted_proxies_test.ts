import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseServerArgs } from "../../src/cli/server_args.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { type ProxiedEnds, proxyHeader } from "../../src/transport/proxy_protocol.ts";
import { bytesOf, noise, readAll, readText, readUntil, send } from "../harness/bytes.ts";
import { TestServer } from "../harness/server.ts";

const ENDS: ProxiedEnds = {
  source: { hostname: "192.0.2.7", port: 4711 },
  destination: { hostname: "198.51.100.1", port: 443 },
};

/**
 * Sends the bytes, half-closes, and returns the answer; an empty one if the connection is reset.
 */
async function exchange(server: TestServer, ...parts: Uint8Array[]): Promise<string> {
  using client = await server.connect();
  try {
    for (const part of parts) await send(client, part);
    await client.closeWrite();
    return await readText(client);
  } catch {
    return "";
  }
}

for (const version of ["v1", "v2"] as const) {
  Deno.test(`An outlet behind a proxy sees the client's address in the header: ${version}`, async () => {
    await using server = await TestServer.open("echo://:0?accept-proxy");
    assertEquals(await exchange(server, proxyHeader(version, ENDS), bytesOf("hello")), "hello");
    assertEquals((await server.event("opened")).peer, ENDS.source);
    const { peer, bytesIn } = await server.event("closed");
    assertEquals({ peer, bytesIn }, { peer: ENDS.source, bytesIn: 5 }, "the header is not counted");
  });

  Deno.test(`An outlet behind a proxy loses no byte after the header: ${version}`, async () => {
    await using server = await TestServer.open("echo://:0?accept-proxy");
    const bytes = noise(100_000);
    using client = await server.connect();
    const all = new Uint8Array([...proxyHeader(version, ENDS), ...bytes]);
    const [answer] = await Promise.all([
      readAll(client),
      send(client, all).then(() => client.closeWrite()),
    ]);
    assertEquals(answer, bytes);
  });

  Deno.test(`An outlet behind a proxy reads a header that arrives in two parts: ${version}`, async () => {
    await using server = await TestServer.open("echo://:0?accept-proxy");
    const header = proxyHeader(version, ENDS);
    assertEquals(
      await exchange(server, header.subarray(0, 9), header.subarray(9), bytesOf("x")),
      "x",
    );
  });
}

Deno.test("An outlet behind a proxy keeps the sender's address where the header has none", async () => {
  await using server = await TestServer.open("echo://:0?accept-proxy");
  const client = await server.connect();
  await send(client, "PROXY UNKNOWN\r\nhello");
  assertEquals(await readUntil(client, /hello/), "hello");
  const { hostname, port } = client.localAddr as Deno.NetAddr;
  assertEquals((await server.event("opened")).peer, { hostname, port });
  client.close();
});

Deno.test("Rules and limits apply to the address in the header", async () => {
  await using server = await TestServer.open(
    "echo://:0?accept-proxy&deny=192.0.2.0/24&max-per-ip=1",
  );
  assertEquals(await exchange(server, proxyHeader("v1", ENDS), bytesOf("hello")), "");
  const refused = await server.event("refused");
  assertEquals([refused.peer, refused.reason], [ENDS.source, "denied by rule"]);
  const others = [1, 2].map((host) => ({
    source: { hostname: `203.0.113.${host}`, port: 1 },
    destination: ENDS.destination,
  }));
  using one = await server.connect();
  using two = await server.connect();
  for (const [i, client] of [one, two].entries()) {
    await send(client, proxyHeader("v2", others[i]!));
    await send(client, "hi");
    assertEquals(await readUntil(client, /hi/), "hi");
  }
});

Deno.test("exec's environment and forward's header have the addresses of the header", async () => {
  await using server = await TestServer.open("exec://:0?accept-proxy", "--", "env");
  const environment = await exchange(server, proxyHeader("v2", ENDS));
  assertMatch(environment, /^TCPREMOTEIP=192\.0\.2\.7$/m);
  assertMatch(environment, /^TCPREMOTEPORT=4711$/m);
  assertMatch(environment, /^TCPLOCALIP=198\.51\.100\.1$/m);
  await using upstream = await TestServer.open("echo://:0?accept-proxy");
  await using before = await TestServer.open(
    `forward://:0?accept-proxy&send-proxy=v2&to=127.0.0.1:${upstream.port()}`,
  );
  assertEquals(await exchange(before, proxyHeader("v1", ENDS), bytesOf("through")), "through");
  assertEquals((await upstream.event("opened")).peer, ENDS.source);
});

for (
  const [what, bytes, reason] of [
    ["malformed", "GET / HTTP/1.0\r\n\r\n", /^no valid PROXY header: received other data first$/],
    ["truncated", "PROXY TCP4 192.0", /^ended before a whole PROXY header$/],
    ["missing", "", /^ended before a whole PROXY header$/],
    ["oversized", `PROXY UNKNOWN ${"x".repeat(200)}`, /^no valid PROXY header: no line end/],
  ] as const
) {
  Deno.test(`An outlet behind a proxy refuses a connection with a header that is ${what}`, async () => {
    await using server = await TestServer.open("echo://:0?accept-proxy");
    assertEquals(await exchange(server, bytesOf(bytes)), "");
    assertMatch((await server.event("refused")).reason, reason);
    assertEquals(await exchange(server, proxyHeader("v1", ENDS), bytesOf("next")), "next");
  });
}

Deno.test("An outlet behind a proxy refuses untrusted connections without reading them", async () => {
  await using server = await TestServer.open("echo://:0?accept-proxy&trusted-proxy=192.0.2.0/24");
  assertEquals(await exchange(server, proxyHeader("v1", ENDS), bytesOf("hello")), "");
  const { peer, reason } = await server.event("refused");
  assertEquals({ reason, peer: "hostname" in peer && peer.hostname }, {
    reason: "not a trusted proxy",
    peer: "127.0.0.1",
  });
});

Deno.test("An outlet behind a proxy times out a missing header", async () => {
  await using server = await TestServer.open("echo://:0?accept-proxy");
  using client = await server.connect();
  await send(client, "PROXY ");
  assertEquals(await readText(client).catch(() => ""), "");
  assertEquals((await server.event("refused")).reason, "no whole PROXY header in time");
});

Deno.test("A stopping outlet does not wait for the rest of a header", async () => {
  await using server = await TestServer.open("echo://:0?accept-proxy", "echo://:0");
  using client = await server.connect();
  await send(client, "PROXY ");
  using other = await server.connect(1);
  await send(other, "x");
  await readUntil(other, /x/);
  await server.server.stop({ grace: 0 });
  assertEquals(await readText(client).catch(() => ""), "");
});

Deno.test("accept-proxy needs trusted-proxy where other machines can reach the outlet", () => {
  assertThrows(
    () => parseServerArgs(["echo://0.0.0.0:7007?accept-proxy"]),
    UsageError,
    "trusted-proxy",
  );
  assertThrows(
    () => parseServerArgs(["echo://[::]:7007?accept-proxy"]),
    UsageError,
    "trusted-proxy",
  );
  parseServerArgs(["echo://[::1]:7007?accept-proxy"]);
  parseServerArgs(["echo://0.0.0.0:7007?accept-proxy&trusted-proxy=192.0.2.1"]);
});
