/** TLS to upstreams, with the servers of others at the other end. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { parseServerArgs } from "../../src/cli/server_args.ts";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { CertificateAuthority, fingerprintOf } from "../harness/certificates.ts";
import { haproxy, nginx, opensslReverser, stunnel } from "../harness/daemons.ts";
import { outlet, run } from "../harness/program.ts";
import { configOf, from, TestServer } from "../harness/server.ts";
import { preflight } from "../../src/server/preflight.ts";
import { testWith } from "../harness/tools.ts";

/** What a client of a forwarder gets for a line, and the notes about its connection. */
async function reversed(server: TestServer): Promise<Readonly<Record<string, unknown>>> {
  using client = await server.connect();
  await send(client, "hello\n");
  assertEquals(await readUntil(client, /\n/), "olleh\n");
  await client.closeWrite();
  await readText(client).catch(() => {});
  return (await server.event("closed", from(client))).notes ?? {};
}

/** Why a client of a forwarder gets nothing. */
async function reasonOf(server: TestServer): Promise<string> {
  using client = await server.connect();
  await readText(client).catch(() => {});
  return (await server.event("closed", from(client))).reason;
}

testWith(["openssl"], "forward speaks TLS to an upstream, and notes what was agreed", async () => {
  await using authority = await CertificateAuthority.make();
  await using upstream = await opensslReverser(await authority.sign(), "-alpn", "x/1");
  const to = `tls://localhost:${upstream.port}`;
  await using server = await TestServer.open(
    `forward://:0?to=${to}&to-tls-ca=${authority.cert}&to-alpn=x/1,y/2`,
  );
  assertEquals(await reversed(server), {
    upstream: to,
    "upstream-tls": "TLSv1.3",
    "upstream-tls-cipher": "TLS_AES_256_GCM_SHA384",
    "upstream-sni": "localhost",
    "upstream-alpn": "x/1",
    "upstream-tls-verified": "by authority",
  });
});

testWith(
  ["openssl"],
  "an upstream's certificate is trusted by its authority or its pin, or not; why is told",
  async (t) => {
    await using authority = await CertificateAuthority.make();
    const identity = await authority.sign();
    await using upstream = await opensslReverser(identity);
    const to = `forward://:0?to=tls://127.0.0.1:${upstream.port}`;
    await t.step("a pin of another certificate", async () => {
      await using server = await TestServer.open(`${to}&to-tls-pin=${"ab".repeat(32)}`);
      assertMatch(await reasonOf(server), /not the pinned one: its SHA-256 is/);
    });
    await t.step("its own pin", async () => {
      const pin = await fingerprintOf(identity.cert);
      await using server = await TestServer.open(`${to}&to-tls-pin=${pin}`);
      const { "upstream-tls-verified": verified } = await reversed(server);
      assertEquals(verified, "by pin");
    });
    await t.step("an authority that is not trusted", async () => {
      await using server = await TestServer.open(to);
      assertMatch(await reasonOf(server), /signed by CN=test authority.*use to-tls-ca FILE/);
    });
    await t.step("no verification", async () => {
      await using server = await TestServer.open(`${to}&to-tls-insecure`);
      const { "upstream-tls-verified": verified, "upstream-sni": sni } = await reversed(server);
      assertMatch(String(verified), /^no, the certificate was signed by CN=test authority/);
      assertEquals(sni, undefined);
    });
    await t.step("the name that it has to be for", async () => {
      const ca = `to-tls-ca=${authority.cert}`;
      await using server = await TestServer.open(`${to}&${ca}&to-tls-server-name=other.example`);
      assertMatch(await reasonOf(server), /is for .*, not for other\.example/);
    });
  },
);

testWith(["openssl"], "forward shows an upstream the certificate that it asks for", async () => {
  await using authority = await CertificateAuthority.make();
  const mine = await authority.sign({ subject: "/CN=outlet" });
  const asking = ["-Verify", "1", "-verify_return_error", "-CAfile", authority.cert];
  await using upstream = await opensslReverser(await authority.sign(), ...asking);
  const to = `forward://:0?to=tls://localhost:${upstream.port}&to-tls-ca=${authority.cert}`;
  {
    await using server = await TestServer.open(to);
    assertMatch(await reasonOf(server), /requires a client certificate: use to-tls-cert/);
  }
  await using server = await TestServer.open(
    `${to}&to-tls-cert=${mine.cert}&to-tls-key=${mine.key}`,
  );
  await reversed(server);
});

testWith(["openssl"], "forward speaks TLS to a Unix socket", async () => {
  await using authority = await CertificateAuthority.make();
  const path = `${authority.folder}/tls.sock`;
  await using _upstream = await opensslReverser(await authority.sign(), "-unix", path);
  await using server = await TestServer.open(
    `forward://:0?to=tls+unix:${path}&to-tls-ca=${authority.cert}`,
  );
  const { upstream, "upstream-sni": sni } = await reversed(server);
  assertEquals({ upstream, sni }, { upstream: `tls+unix:${path}`, sni: "localhost" });
});

testWith(
  ["openssl", "stunnel4"],
  "TLS in front and behind: stunnel at both ends of a forwarder",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    await using echo = await TestServer.open("echo://:0");
    await using behind = await stunnel((port) => [
      ...[`accept = 127.0.0.1:${port}`, `connect = 127.0.0.1:${echo.port()}`],
      ...[`cert = ${cert}`, `key = ${key}`],
    ]);
    await using server = await TestServer.open(
      `forward://:0?tls&tls-cert=${cert}&tls-key=${key}&to=tls://localhost:${behind.port}` +
        `&to-tls-ca=${authority.cert}`,
    );
    await using front = await stunnel((port) => [
      ...["client = yes", `accept = 127.0.0.1:${port}`, `connect = 127.0.0.1:${server.port()}`],
      ...[`CAfile = ${authority.cert}`, "verifyChain = yes", "checkHost = localhost"],
      "sni = localhost",
    ]);
    using client = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
    await send(client, "encrypted twice\n");
    assertEquals(await readUntil(client, /\n/), "encrypted twice\n");
    client.closeWrite();
    assertEquals(await readText(client), "");
    const { notes = {} } = await server.event("opened");
    assertEquals({ ...notes, "tls-cipher": "" }, {
      tls: "TLSv1.3",
      "tls-cipher": "",
      sni: "localhost",
    });
    const closed = await server.event("closed");
    assertEquals(closed.reason, "peer closed");
    assertEquals(closed.notes?.["upstream-tls"], "TLSv1.3");
  },
);

testWith(["openssl", "haproxy"], "a PROXY header goes to an upstream before TLS", async () => {
  await using authority = await CertificateAuthority.make();
  const { cert, key } = await authority.sign();
  const pem = `${authority.folder}/pair.pem`;
  await Deno.writeTextFile(pem, await Deno.readTextFile(cert) + await Deno.readTextFile(key));
  await using proxy = await haproxy((port) => [
    ...["frontend test", "mode http", `bind 127.0.0.1:${port} accept-proxy ssl crt ${pem}`],
    `http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[ssl_fc_sni]"`,
  ]);
  for (const version of ["v1", "v2"]) {
    await using server = await TestServer.open(
      `forward://:0?to=tls://localhost:${proxy.port}&to-tls-ca=${authority.cert}` +
        `&send-proxy=${version}&check=60s&connect-timeout=60s`,
    );
    using client = await server.connect();
    await send(client, "GET / HTTP/1.1\r\nHost: outlet\r\nConnection: close\r\n\r\n");
    const { port } = client.localAddr as Deno.NetAddr;
    assertMatch(
      await readUntil(client, /\r\n\r\n.* localhost/s),
      new RegExp(`127.0.0.1:${port} localhost$`),
    );
    assertEquals(server.events.filter(({ event }) => event === "failed"), []);
  }
});

testWith(["openssl", "nginx"], "forward is to nginx's TLS stream what its client is", async () => {
  await using authority = await CertificateAuthority.make();
  const { cert, key } = await authority.sign();
  await using behind = await nginx((port) => [
    `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};`,
    `ssl_protocols TLSv1.3; return "$ssl_server_name $ssl_protocol\\n"; }`,
  ]);
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${behind.port}&to-tls-ca=${authority.cert}`,
  );
  using client = await server.connect();
  assertEquals(await readText(client), "localhost TLSv1.3\n");
});

testWith(["openssl"], "health checks speak TLS too", async () => {
  await using authority = await CertificateAuthority.make();
  await using plain = await TestServer.open("daytime://:0");
  await using upstream = await opensslReverser(await authority.sign());
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${upstream.port},tls://localhost:${plain.port()}` +
      `&to-tls-ca=${authority.cert}&check=60s&connect-timeout=60s`,
  );
  const { reason } = await server.event("failed");
  assertMatch(reason, /the peer does not use TLS; not used for/);
  assertMatch(reason, new RegExp(`localhost:${plain.port()}: `));
});

testWith(["openssl"], "files of upstreams' TLS are read again when they have changed", async () => {
  await using authority = await CertificateAuthority.make();
  await using other = await CertificateAuthority.make();
  await using upstream = await opensslReverser(await authority.sign());
  const ca = `${authority.folder}/trusted.pem`;
  await Deno.copyFile(other.cert, ca);
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${upstream.port}&to-tls-ca=${ca}`,
  );
  assertMatch(await reasonOf(server), /not trusted here/);
  await Deno.copyFile(authority.cert, ca);
  await reversed(server);
});

testWith(["openssl"], "what cannot be had of TLS to upstreams is refused in words", async () => {
  await using authority = await CertificateAuthority.make();
  const refused = async (query: string, reason: RegExp) => {
    const error = await assertRejects(
      async () => await preflight(configOf([`forward://:0?${query}`])),
      Error,
    );
    assertMatch(error.message, reason);
  };
  await refused("to=db:1&to-tls-ca=x", /to-tls-ca needs an upstream with TLS: to=tls:\/\/db:1$/);
  await refused("to=db:1&to-tls-insecure", /to-tls-insecure needs an upstream with TLS/);
  await refused("to=tls://db:1&to-tls-key=x", /to-tls-key needs to-tls-cert/);
  await refused("to=tls://db:1&to-tls-ca=/none/ca.pem", /to-tls-ca \/none\/ca\.pem: no such file/);
  await refused(
    `to=tls://db:1&to-tls-cert=${authority.cert}`,
    /to-tls-key .*ca\.pem: no readable private key in it/,
  );
  await refused("to=quic://db:1", /unknown scheme "quic": expected tcp:/);
  await refused("to=tls://unix:/x", /is written tls\+unix:PATH/);
  // What is common to all outlets is refused only where it has an effect on none.
  const words = ["forward://:0?to=db:1", "forward://:0?to=tls://db:1", "--to-tls-insecure"];
  parseServerArgs(words);
});

Deno.test("help lists the TLS options of forward's upstreams", async () => {
  const { stdout } = await run(outlet("help", "forward"));
  assertMatch(stdout, /\?to-tls-ca=FILE\s+upstreams with TLS: trust the CA certificates/);
  assertMatch(
    stdout,
    /\?to-tls-key=FILE\s+[^?]*unless\s+to-tls-cert contains it \(with to-tls-cert\)/,
  );
  assertEquals(stdout.includes("(with )"), false);
});
