/** STARTTLS to upstreams: clients without TLS, servers that insist on it. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { run } from "../harness/program.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { startTlsDaemon } from "../harness/starttls_daemons.ts";
import { startTlsServer } from "../harness/starttls_server.ts";
import { testWith } from "../harness/tools.ts";
import { preflight } from "../../src/server/preflight.ts";
import { injected, NOT_OFFERED, OFFERED } from "../transport/starttls/dialogues.ts";

const FORWARDED = ["smtp", "imap", "pop3", "ftp", "xmpp", "postgres", "ldap"] as const;

for (const protocol of FORWARDED) {
  testWith(["openssl"], `${protocol}: a client gets the greeting, then what TLS has`, async () => {
    await using authority = await CertificateAuthority.make();
    await using upstream = await startTlsServer(await authority.sign(), OFFERED[protocol]);
    await using server = await TestServer.open(
      `forward://:0?to=tls://localhost:${upstream.port}&to-tls-ca=${authority.cert}` +
        `&to-starttls=${protocol}`,
    );
    using client = await server.connect();
    await send(client, "hello\n");
    await client.closeWrite();
    const { greeting = "" } = OFFERED[protocol];
    const passed = String(greeting).replace(/\[CAPABILITY .*\] /, "");
    assertEquals(await readText(client), `${passed}hello\n`);
    const { notes, reason } = await server.event("closed");
    assertEquals(reason, "peer closed");
    assertEquals(notes?.["upstream-tls"], "TLSv1.3");
    assertEquals(notes?.["upstream-tls-verified"], "by authority");
  });
}

testWith(
  ["openssl", "postgres", "psql", "root"],
  "psql without TLS, PostgreSQL with it",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using daemon = await startTlsDaemon("postgres", await authority.sign());
    await using server = await TestServer.open(
      `forward://:0?to=tls://localhost:${daemon.port}&to-tls-ca=${authority.cert}` +
        "&to-starttls=postgres&check=60s&connect-timeout=60s",
    );
    const url = `postgresql://postgres@127.0.0.1:${server.port()}/postgres?sslmode=disable`;
    const query = "select version from pg_stat_ssl where pid = pg_backend_pid()";
    const { stdout, stderr } = await run(["psql", "-At", url, "-c", query]);
    assertEquals({ stdout, stderr }, { stdout: "TLSv1.3\n", stderr: "" });
    assertEquals(server.events.filter(({ event }) => event === "failed"), []);
  },
);

testWith(["openssl", "python3-aiosmtpd", "curl"], "curl sends a mail without TLS", async () => {
  await using authority = await CertificateAuthority.make();
  await using daemon = await startTlsDaemon("smtp", await authority.sign());
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${daemon.port}&to-tls-ca=${authority.cert}&to-starttls=smtp`,
  );
  const { code, stderr } = await run(
    [
      ...["curl", "-sS", `smtp://127.0.0.1:${server.port()}`, "--mail-from", "a@example.org"],
      ...["--mail-rcpt", "b@example.org", "-T", "-"],
    ] as [string, ...string[]],
    { stdin: "Subject: x\r\n\r\nhello\r\n" },
  );
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

testWith(["openssl", "dovecot", "root"], "an IMAP client without TLS may log in", async () => {
  await using authority = await CertificateAuthority.make();
  await using daemon = await startTlsDaemon("imap", await authority.sign());
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${daemon.port}&to-tls-ca=${authority.cert}&to-starttls=imap`,
  );
  using client = await server.connect();
  assertEquals(await readUntil(client, /\n/), "* OK Dovecot (Debian) ready.\r\n");
  await send(client, "a CAPABILITY\r\n");
  const capabilities = await readUntil(client, /a OK/);
  assertMatch(capabilities, /AUTH=PLAIN/);
  assertEquals(/STARTTLS|LOGINDISABLED/.test(capabilities), false);
});

testWith(
  ["openssl"],
  "an upstream that does not offer it, or sends more, is not used",
  async () => {
    await using authority = await CertificateAuthority.make();
    const identity = await authority.sign();
    await using without = await startTlsServer(identity, NOT_OFFERED.smtp[0]);
    await using hostile = await startTlsServer(identity, injected(OFFERED.smtp, "250 x\r\n"));
    await using good = await startTlsServer(identity, OFFERED.smtp);
    const to = [without, hostile, good].map(({ port }) => `tls://localhost:${port}`);
    await using server = await TestServer.open(
      `forward://:0?to=${to}&to-tls-ca=${authority.cert}&to-starttls=smtp&balance=first` +
        "&connect-timeout=60s",
    );
    using client = await server.connect();
    assertEquals(await readUntil(client, /\n220 /), "220-mx.test ESMTP\r\n220 no spam\r\n");
    await server.event("failed", ({ reason }) => /does not offer STARTTLS/.test(reason));
    await server.event("failed", ({ reason }) => /sent 7 bytes between its go-ahead/.test(reason));
  },
);

testWith(["openssl"], "a PROXY header goes before the exchange", async () => {
  await using authority = await CertificateAuthority.make();
  const [[hello], ...rest] = OFFERED.smtp.answers as [[RegExp, string], ...[RegExp, string][]];
  await using upstream = await startTlsServer(await authority.sign(), {
    answers: [[/^PROXY TCP4 .*\r\n$/, "220 hi\r\n"], [hello, "250 STARTTLS\r\n"], ...rest],
  });
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${upstream.port}&to-tls-ca=${authority.cert}` +
      "&to-starttls=smtp&send-proxy=v1",
  );
  using client = await server.connect();
  assertEquals(await readUntil(client, /\n/), "220 hi\r\n");
});

Deno.test("what cannot be had of STARTTLS to upstreams is refused in words", async () => {
  const refused = async (query: string, reason: RegExp) => {
    const error = await assertRejects(
      async () => await preflight(configOf([`forward://:0?${query}`])),
      Error,
    );
    assertMatch(error.message, reason);
  };
  await refused(
    "to=db:1&to-starttls=smtp",
    /to-starttls needs an upstream with TLS: to=tls:\/\/db:1$/,
  );
  await refused("to=wss://db:1&to-starttls=smtp", /wss:\/\/db:1\/ is a WebSocket, which has none$/);
  await refused("to=tls://db:1&to-starttls=mysql", /a MySQL client without TLS cannot go on/);
  await refused("to=tls://db:1&to-starttls=x", /expected one of smtp, imap, .*, ldap$/);
});
