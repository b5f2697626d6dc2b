import { assertEquals, assertMatch } from "@std/assert";
import { readUntil, send } from "../harness/bytes.ts";
import { freePort, isOpen } from "../harness/ports.ts";
import { Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { haproxy } from "../harness/daemons.ts";
import { testWith } from "../harness/tools.ts";

for (const [version, word] of [["v1", "send-proxy"], ["v2", "send-proxy-v2"]] as const) {
  for (const bind of ["127.0.0.1:", ":::"]) {
    testWith(
      ["haproxy"],
      `HAProxy at ${bind} sends its IPv4 clients' addresses to outlet: ${version}`,
      async () => {
        await using server = await TestServer.open("echo://:0?accept-proxy");
        await using proxy = await haproxy((port) => [
          ...["listen test", "mode tcp", `bind ${bind}${port} v4v6`],
          `server outlet 127.0.0.1:${server.port()} ${word}`,
        ]);
        using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
        const local = client.localAddr as Deno.NetAddr;
        await send(client, "through HAProxy\n");
        assertEquals(await readUntil(client, /\n/), "through HAProxy\n");
        const { peer } = await server.event(
          "opened",
          ({ peer }) => "port" in peer && peer.port === local.port,
        );
        assertEquals(peer, { hostname: "127.0.0.1", port: local.port });
      },
    );
  }

  testWith(["haproxy"], `outlet sends its clients' addresses to HAProxy: ${version}`, async () => {
    await using proxy = await haproxy((port) => [
      ...["frontend test", "mode http", `bind 127.0.0.1:${port} accept-proxy`],
      `http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port]"`,
    ]);
    await using server = await TestServer.open(
      `forward://:0?to=127.0.0.1:${proxy.port}&send-proxy=${version}`,
    );
    using client = await server.connect();
    await send(client, "GET / HTTP/1.1\r\nHost: outlet\r\nConnection: close\r\n\r\n");
    const { port } = client.localAddr as Deno.NetAddr;
    assertMatch(await readUntil(client, /\r\n\r\n.*:\d{4,}/s), new RegExp(`127.0.0.1:${port}$`));
  });
}

testWith(["python3", "curl"], "forward relays 200 MB of HTTP unchanged", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await run(["dd", "if=/dev/urandom", `of=${folder}/big`, "bs=1M", "count=200"]);
    const port = freePort();
    const args = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, `${port}`];
    await using _web = new Program(["python3", ...args]);
    await isOpen(port);
    await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${port}`);
    const url = `http://127.0.0.1:${server.port()}/big`;
    const { code } = await run(["curl", "-sS", "-o", `${folder}/copy`, url]);
    assertEquals(code, 0);
    assertEquals((await run(["cmp", `${folder}/big`, `${folder}/copy`])).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWith(
  ["redis-server", "redis-cli"],
  "forward relays to Redis, also over a Unix socket",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const socket = `${folder}/redis.sock`;
      await using redis = new Program(
        ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder],
      );
      await redis.prints(/[Rr]eady to accept connections/);
      await using server = await TestServer.open(`forward://:0?to=unix:${socket}`);
      const cli = (...args: string[]) => run(["redis-cli", "-p", String(server.port()), ...args]);
      assertEquals((await cli("set", "key", "value")).stdout, "OK\n");
      assertEquals((await cli("get", "key")).stdout, "value\n");
      assertMatch((await cli("--csv", "lrange", "none", "0", "-1")).stdout, /^\n?$/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
