import { assert, assertEquals, assertMatch } from "@std/assert";
import { CertificateAuthority, fingerprintOf, type Identity } from "../../harness/certificates.ts";
import { bytesOf, noise, send, sha256 } from "../../harness/bytes.ts";
import { runTestClient } from "../../harness/client.ts";
import { outlet, Program, run } from "../../harness/program.ts";
import { TestServer } from "../../harness/server.ts";
import { testWith } from "../../harness/tools.ts";

const NEEDS = ["openssl"];

/** Arguments that configure a certificate. */
function showing({ cert, key }: Identity): string[] {
  return ["--tls-cert", cert, "--tls-key", key];
}

testWith(
  ["openssl", "ncat"],
  "openssl, ncat and outlet connect to an outlet with TLS",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using server = await TestServer.open("echo://:0?tls", ...showing(await authority.sign()));
    const port = String(server.port());
    await using openssl = new Program([
      "openssl",
      ...["s_client", "-connect", `127.0.0.1:${port}`, "-quiet"],
      ...["-CAfile", authority.cert, "-verify_return_error"],
    ]);
    await openssl.type("one\n");
    await openssl.prints(/one/);
    assertEquals(
      (await run(["ncat", "--ssl", "127.0.0.1", port], { stdin: "two\n" })).stdout,
      "two\n",
    );
    const args = [`tls://localhost:${port}`, "--tls-ca", authority.cert];
    const { received, error } = await runTestClient(args, "three\n");
    // Without the server's close_notify this would be a truncated stream (RFC 8446 section 6.1).
    assertEquals([received, error], ["three\n", ""]);
    const { notes } = await server.event("opened");
    assertEquals(notes?.tls, "TLSv1.3");
  },
);

testWith(["openssl", "curl"], "curl reads a page from an outlet with TLS", async () => {
  await using authority = await CertificateAuthority.make();
  const page = ["exec://:0?tls&alpn=http/1.1", "--", "sh", "-c"];
  const answer = `read line; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n%s\\n' "$TLS_PROTOCOL $TLS_ALPN"`;
  await using server = await TestServer.open(
    ...showing(await authority.sign()),
    ...page,
    answer,
  );
  const url = `https://localhost:${server.port()}/`;
  const { stdout } = await run(["curl", "-s", "--cacert", authority.cert, url]);
  assertEquals(stdout, "TLSv1.3 http/1.1\n");
});

testWith(
  NEEDS,
  "many bytes and a half-close pass through TLS, even if they are read late",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using server = await TestServer.open("echo://:0?tls", ...showing(await authority.sign()));
    const bytes = noise(20_000_000);
    await using client = new Program(
      outlet("client", `tls://localhost:${server.port()}`, "--tls-ca", authority.cert),
    );
    const typed = client.type(bytes).then(() => client.end());
    const outcome = await client.outcome();
    await typed;
    assertEquals(await sha256(outcome.bytes), await sha256(bytes));
    assertEquals((await server.event("closed")).reason, "peer closed");
  },
);

testWith(
  NEEDS,
  "only clients with a certificate of the client CA are accepted, and exec has their name",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using other = await CertificateAuthority.make();
    await using server = await TestServer.open(
      `exec://:0?tls&tls-client-ca=${authority.cert}`,
      ...showing(await authority.sign()),
      ...["--", "sh", "-c", "echo $TLS_CLIENT_SUBJECT"],
    );
    const args = [`tls://localhost:${server.port()}`, "--tls-ca", authority.cert];
    const alice = await authority.sign({ subject: "/O=outlet/CN=alice" });
    assertEquals(
      (await runTestClient([...args, ...showing(alice)])).received,
      "O=outlet, CN=alice\n",
    );
    assertEquals((await server.event("opened")).notes?.["tls-subject"], "O=outlet, CN=alice");
    const refused = async (reason: RegExp, ...flags: string[]) => {
      assertEquals((await runTestClient([...args, ...flags])).received, "");
      await server.event("refused", (event) => reason.test(event.reason));
    };
    await refused(/sent no certificate/);
    await refused(/is not signed by a CA.*UNABLE_TO_VERIFY/, ...showing(await other.sign()));
    await refused(/X\.509 version 3/, ...showing(await authority.sign({ extensions: [] })));
    assertEquals(server.events.filter(({ event }) => event === "opened").length, 1);
  },
);

testWith(
  NEEDS,
  "plaintext and a truncated handshake affect only their own connection",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using server = await TestServer.open("echo://:0?tls", ...showing(await authority.sign()));
    using idle = await server.connect();
    {
      using plain = await server.connect();
      await send(plain, "GET / HTTP/1.0\r\n\r\n");
      await server.event("refused", ({ reason }) => /does not use TLS/.test(reason));
    }
    {
      using aborted = await server.connect();
      await send(aborted, Uint8Array.of(0x16, 3, 1));
    }
    await server.event("refused", ({ reason }) => /disconnected|reset/.test(reason));
    const args = [`tls://localhost:${server.port()}`, "--tls-ca", authority.cert];
    assertEquals((await runTestClient(args, "still here\n")).received, "still here\n");
    assert(idle.localAddr);
  },
);

testWith(NEEDS, "a pending handshake ends when the server stops", async () => {
  await using authority = await CertificateAuthority.make();
  const server = await TestServer.open("echo://:0?tls", ...showing(await authority.sign()));
  using _silent = await server.connect();
  assertEquals(await server.server.stop({ grace: 60_000 }), 0);
  await server.event("stopped");
});

testWith(
  NEEDS,
  "a changed certificate is used for the next client, and an invalid one is not",
  async () => {
    await using authority = await CertificateAuthority.make();
    const [first, second] = [await authority.sign(), await authority.sign()];
    const live = { cert: `${authority.folder}/live.pem`, key: `${authority.folder}/live.key` };
    const put = async ({ cert, key }: Identity) => {
      await Deno.copyFile(cert, live.cert);
      await Deno.copyFile(key, live.key);
    };
    await put(first);
    await using server = await TestServer.open("daytime://:0?tls", ...showing(live));
    const shows = async ({ cert }: Identity) => {
      const fingerprint = await fingerprintOf(cert);
      const { error, received } = await runTestClient([
        `tls://127.0.0.1:${server.port()}`,
        "--tls-pin",
        fingerprint,
      ]);
      assertEquals(error, "");
      assertMatch(received, /GMT/);
    };
    await shows(first);
    await put(second);
    await shows(second);
    await Deno.copyFile(first.key, live.key);
    await shows(second);
    const { reason } = await server.event("failed");
    assertMatch(reason, /is not the key of .*; the previous certificate stays in use$/);
  },
);

testWith(
  NEEDS,
  "a certificate that is rewritten in place, with the same size and time, is reloaded",
  async () => {
    await using authority = await CertificateAuthority.make();
    const live = { cert: `${authority.folder}/live.pem`, key: `${authority.folder}/live.pem` };
    // Padding makes both files the same size, since certificates differ by some bytes.
    const SIZE = 4_000;
    const put = async ({ cert, key }: Identity, mtime?: Date | null) => {
      const pem = await Deno.readTextFile(cert) + await Deno.readTextFile(key);
      await Deno.writeTextFile(live.cert, pem.padEnd(SIZE, "\n"));
      if (mtime) await Deno.utime(live.cert, mtime, mtime);
    };
    const [first, second] = [await authority.sign(), await authority.sign()];
    await put(first);
    const before = await Deno.stat(live.cert);
    await using server = await TestServer.open("daytime://:0?tls", ...showing(live));
    await put(second, before.mtime);
    const after = await Deno.stat(live.cert);
    assertEquals(
      [after.mtime, after.size, after.ino],
      [before.mtime, before.size, before.ino],
    );
    const fingerprint = await fingerprintOf(second.cert);
    const { error } = await runTestClient([
      `tls://127.0.0.1:${server.port()}`,
      "--tls-pin",
      fingerprint,
    ]);
    assertEquals(error, "");
  },
);

testWith(
  NEEDS,
  "a missing, empty or mismatched file is refused before anything is opened",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    const { key: other } = await authority.sign();
    const empty = `${authority.folder}/empty`;
    await Deno.writeTextFile(empty, "");
    const cases: [Identity, RegExp][] = [
      [{ cert: "/nowhere", key }, /tls-cert \/nowhere: no such file/],
      [{ cert: empty, key }, /tls-cert .*empty: no PEM block in it/],
      [{ cert, key: other }, /is not the key of tls-cert/],
      [{ cert, key: cert }, /no readable private key in it/],
    ];
    for (const [identity, expected] of cases) {
      const error = await TestServer.open("echo://:0?tls", ...showing(identity)).then(
        async (server) => {
          await server[Symbol.asyncDispose]();
          return "it opened";
        },
        (error) => error.message,
      );
      assertMatch(error, expected);
    }
  },
);

testWith(
  NEEDS,
  "a self-signed certificate is created once, readable by its owner only, and can be pinned",
  async () => {
    const home = await Deno.makeTempDir();
    const env = { XDG_CONFIG_HOME: home };
    const fingerprints: string[] = [];
    for (let time = 0; time < 2; time++) {
      await using server = new Program(outlet("server", "daytime://:0?tls&tls-self-signed"), {
        env,
      });
      const [, port, fingerprint] = await server.logs(
        /127\.0\.0\.1:(\d+), TLS.*SHA-256 ([0-9a-f]{64})/,
      );
      fingerprints.push(fingerprint!);
      assertMatch(
        (await runTestClient([`tls://localhost:${port}`, "--tls-pin", fingerprint!])).received,
        /GMT/,
      );
    }
    assertEquals(fingerprints[0], fingerprints[1]);
    const { mode } = await Deno.stat(`${home}/outlet/self-signed.pem`);
    assertEquals(mode! & 0o777, 0o600);
    await Deno.remove(home, { recursive: true });
  },
);

testWith(NEEDS, "a client behind a proxy can use TLS after the PROXY header", async () => {
  await using authority = await CertificateAuthority.make();
  await using server = await TestServer.open(
    "echo://:0?tls&accept-proxy",
    ...showing(await authority.sign()),
  );
  const { connectTls } = await import("../../../src/transport/tls/connect.ts");
  const plain = await server.connect();
  await send(plain, "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n");
  const ca = await Deno.readTextFile(authority.cert);
  const { socket } = await connectTls(plain, { serverName: "localhost", ca });
  await socket.write(bytesOf("hi"));
  const buffer = new Uint8Array(8);
  assertEquals(await socket.read(buffer), 2);
  const { peer } = await server.event("opened");
  assertEquals(peer, { hostname: "192.0.2.7", port: 4711 });
  socket.close();
});
