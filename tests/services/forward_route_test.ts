/** Routing by the protocol of a client's first bytes, with the programs of others at both ends. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readAll, readText, readUntil, send } from "../harness/bytes.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { clientHello, inRecords } from "../harness/client_hello.ts";
import { nginx, opensslReverser } from "../harness/daemons.ts";
import { freePort, isOpen } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { ResettingClient } from "../harness/resetting_client.ts";
import { configOf, from, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";
import { preflight } from "../../src/server/preflight.ts";

/** An HTTP server that answers every request with a word. */
function httpServer(word: string) {
  return nginx((port) => [
    `server { listen 127.0.0.1:${port}; return "HTTP/1.0 200 OK\\r\\n\\r\\n${word}"; }`,
  ]);
}

/** A server that says a word and ends. */
async function saying(word: string): Promise<AsyncDisposable & { readonly to: string }> {
  const server = await nginx((port) => [
    `server { listen 127.0.0.1:${port}; return "${word}"; }`,
  ]);
  return {
    to: `127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

testWith(
  ["openssl", "nginx", "curl", "dropbear", "dbclient", "microsocks"],
  "SSH, TLS, HTTP, SOCKS and others on one port go to their own servers",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using tls = await opensslReverser(await authority.sign());
    await using http = await httpServer("by http");
    await using echo = await TestServer.open("echo://:0");
    const [ssh, socks] = [freePort(), freePort()];
    const key = `${authority.folder}/host`;
    await run(["dropbearkey", "-t", "ed25519", "-f", key]);
    await using _ssh = new Program(["dropbear", "-F", "-E", "-r", key, "-p", `127.0.0.1:${ssh}`]);
    await using _socks = new Program(["microsocks", "-i", "127.0.0.1", "-p", String(socks)]);
    await Promise.all([isOpen(ssh), isOpen(socks)]);
    const at = (port: number | string) => `127.0.0.1:${port}`;
    await using server = await TestServer.open(
      `forward://:0?route=ssh=${at(ssh)},tls=${at(tls.port)},http=${at(http.port)},` +
        `socks=${at(socks)},else=${at(echo.port())}`,
    );
    const port = server.port();
    const login = await run(["dbclient", "-y", "-p", String(port), "nobody@127.0.0.1", "true"]);
    assertMatch(login.stderr, /key accepted unconditionally/);
    assertEquals((await run(["curl", "-sS", `http://${at(port)}/`])).stdout, "by http");
    const proxied = await run(["curl", "-sS", "--socks5", at(port), `http://${at(http.port)}/`]);
    assertEquals(proxied.stdout, "by http");
    await using secure = new Program(["openssl", "s_client", "-quiet", "-connect", at(port)]);
    await secure.type("hello\n");
    await secure.prints(/olleh/);
    using client = await server.connect();
    await send(client, "what I say\n");
    await client.closeWrite();
    assertEquals(await readText(client), "what I say\n");
    assertEquals((await server.event("closed", from(client))).notes, {
      route: "else",
      upstream: at(echo.port()),
    });
    for (const route of ["ssh", "http", "socks"]) {
      await server.event("closed", ({ notes }) => notes?.route === route);
    }
  },
);

testWith(["nginx"], "a silent client goes to else, or to ssh, or is closed", async () => {
  await using ssh = await saying("SSH-2.0-test");
  await using other = await saying("hello");
  for (
    const [routes, said, note] of [
      [`ssh=${ssh.to},else=${other.to}`, "hello", "else"],
      [`ssh=${ssh.to},http=${other.to}`, "SSH-2.0-test", "ssh"],
      [`http=${other.to}`, "", undefined],
    ] as const
  ) {
    await using server = await TestServer.open(`forward://:0?route=${routes}&inspect-timeout=1s`);
    using silent = await server.connect();
    assertEquals(await readText(silent).catch(() => ""), said);
    await silent.closeWrite().catch(() => {});
    const { reason, notes } = await server.event("closed", from(silent));
    assertEquals(notes?.route, note);
    if (note === undefined) assertEquals(reason, "refused: no route: it sent nothing in 1.00 s");
    // One that has sent a FIN says nothing more.
    using ended = await server.connect();
    await ended.closeWrite();
    assertEquals(await readText(ended).catch(() => ""), said);
  }
});

Deno.test("what has come before the protocol is known is passed on, at the deadline too", async () => {
  await using echo = await TestServer.open("echo://:0");
  await using server = await TestServer.open(
    `forward://:0?route=ssh=127.0.0.1:1,else=127.0.0.1:${echo.port()}&inspect-timeout=1s`,
  );
  using client = await server.connect();
  await send(client, "SS");
  assertEquals(await readUntil(client, /SS/), "SS");
  await send(client, "H-2.0");
  assertEquals(await readUntil(client, /0/), "H-2.0");
  await client.closeWrite();
  assertEquals(await readAll(client), new Uint8Array());
  const { reason, bytesIn, notes } = await server.event("closed", from(client));
  assertEquals([reason, bytesIn, notes?.route], ["peer closed", 7, "else"]);
});

Deno.test("a client of an unknown protocol is closed without else", async () => {
  await using server = await TestServer.open("forward://:0?route=ssh=127.0.0.1:1,http=127.0.0.1:2");
  for (
    const [bytes, reason] of [
      ["hello", "refused: no route: its first bytes are of no known protocol"],
      ["\x05\x01\x00", "refused: no route: it speaks SOCKS"],
    ] as const
  ) {
    using client = await server.connect();
    await send(client, bytes);
    await readAll(client).catch(() => {});
    assertEquals((await server.event("closed", from(client))).reason, reason);
  }
});

testWith(
  ["openssl", "nginx", "curl"],
  "server names and protocols are routed on one port",
  async () => {
    await using http = await httpServer("by http");
    await using echo = await TestServer.open("echo://:0");
    const plain = `127.0.0.1:${echo.port()}`;
    await using server = await TestServer.open(
      `forward://:0?sni=a.test=${plain}&route=http=127.0.0.1:${http.port},else=${plain}`,
    );
    const hello = inRecords(clientHello("a.test"));
    const other = inRecords(clientHello("b.test"));
    for (
      const [bytes, sni, route] of [[hello, "a.test", "a.test"], [
        other,
        "b.test",
        undefined,
      ]] as const
    ) {
      using client = await server.connect();
      await send(client, bytes);
      await client.closeWrite();
      const answer = await readAll(client);
      const { notes } = await server.event("closed", from(client));
      assertEquals([notes?.sni, notes?.route], [sni, route]);
      const alert = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);
      assertEquals(answer, route === undefined ? alert : hello);
    }
    assertEquals(
      (await run(["curl", "-sS", `http://127.0.0.1:${server.port()}/`])).stdout,
      "by http",
    );
  },
);

testWith(
  ["openssl", "curl", "nginx"],
  "first bytes inside TLS that ends here are looked at",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    await using http = await httpServer("by http");
    await using server = await TestServer.open(
      `forward://:0?tls&tls-cert=${cert}&tls-key=${key}&route=http=127.0.0.1:${http.port},ssh=127.0.0.1:1`,
    );
    const url = `https://localhost:${server.port()}/`;
    const { stdout } = await run(["curl", "-sS", "--cacert", authority.cert, url]);
    assertEquals(stdout, "by http");
  },
);

testWith(["nginx", "curl"], "workers route, too", async () => {
  await using http = await httpServer("by http");
  await using server = new Program(
    outlet(
      ...["server", "--workers", "2", "--log-format", "json"],
      `forward://:0?route=http=127.0.0.1:${http.port},ssh=127.0.0.1:1`,
    ),
  );
  const [, port] = await server.logs(/"address":"127\.0\.0\.1:(\d+)"/);
  for (let i = 0; i < 6; i++) {
    assertEquals((await run(["curl", "-sS", `http://127.0.0.1:${port}/`])).stdout, "by http");
  }
  await server.logs(/"route":"http"/);
});

Deno.test({
  name: "a client that resets, and a server that stops, end the wait for the first bytes",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const spec = "forward://:0?route=ssh=127.0.0.1:1&inspect-timeout=1h";
    {
      await using server = await TestServer.open(spec);
      using client = new ResettingClient(server.port());
      client.send("SS");
      await server.event("opened");
      client[Symbol.dispose]();
      assertEquals((await server.event("closed")).reason, "peer reset");
    }
    const server = await TestServer.open(spec);
    using client = await server.connect();
    await send(client, "SS");
    await server.event("opened");
    await server[Symbol.asyncDispose]();
    assertMatch((await server.event("closed")).reason, /drain timeout|server closed/);
  },
});

Deno.test("what cannot be had of routes is refused in words", async () => {
  const refused = async (query: string, reason: RegExp) => {
    const error = await assertRejects(
      async () => await preflight(configOf([`forward://:0?${query}`])),
      Error,
    );
    assertMatch(error.message, reason);
  };
  await refused("route=ssh=a:1&to=b:1", /to and route exclude each other$/);
  await refused(
    "route=else=a:1",
    /route: else needs another protocol beside it; for all .* use to$/,
  );
  await refused("route=ftp=a:1", /unknown protocol "ftp": .*(expected one of|did you mean)/);
  await refused("route=tls=tls://a:1", /route: the client's TLS is passed on as it comes/);
  await refused("route=ssh", /expected PROTOCOL=UPSTREAM, such as ssh=127\.0\.0\.1:22/);
  configOf(["forward://:1?route=http=tls://a:443,ssh=b:22,ssh=c:22&to-tls-insecure"]);
});
