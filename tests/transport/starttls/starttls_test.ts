/** STARTTLS as a client: the exchange of each protocol, and what ends it. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { dial } from "../../../src/transport/dial.ts";
import {
  STARTTLS_PROTOCOLS,
  type StartTlsProtocol,
} from "../../../src/transport/starttls/protocols.ts";
import type { ByteStream } from "../../../src/transport/stream.ts";
import { readText, send } from "../../harness/bytes.ts";
import { CertificateAuthority } from "../../harness/certificates.ts";
import { outlet, run } from "../../harness/program.ts";
import { stunnel } from "../../harness/daemons.ts";
import { TestServer } from "../../harness/server.ts";
import { startTlsDaemon } from "../../harness/starttls_daemons.ts";
import { type Dialogue, startTlsServer } from "../../harness/starttls_server.ts";
import { testWith } from "../../harness/tools.ts";
import { injected, NOT_OFFERED, OFFERED } from "./dialogues.ts";

/** Time limit for dialling in milliseconds, which no test should reach. */
const TIMEOUT = 20_000;

async function dialTls(
  port: number,
  { starttls, authority, timeout = TIMEOUT }: {
    readonly starttls: StartTlsProtocol;
    readonly authority: CertificateAuthority;
    readonly timeout?: number;
  },
): Promise<ByteStream> {
  const ca = await Deno.readTextFile(authority.cert);
  const address = { hostname: "127.0.0.1", port };
  const layers = { tls: { serverName: "localhost", ca, starttls } };
  return await dial({ address, layers }, { timeout });
}

async function assertEcho(stream: ByteStream): Promise<void> {
  await send(stream, "hello\n");
  await stream.closeWrite();
  assertEquals(await readText(stream), "hello\n");
  stream.close();
}

/** Why TLS does not begin with a server that says this. */
async function faultOf(
  dialogue: Dialogue,
  { starttls, timeout = TIMEOUT }: { starttls: StartTlsProtocol; timeout?: number },
): Promise<string> {
  await using authority = await CertificateAuthority.make();
  await using server = await startTlsServer(await authority.sign(), dialogue);
  const { message } = await assertRejects(
    () => dialTls(server.port, { starttls, authority, timeout }),
    Error,
  );
  assertEquals(message.includes("\n"), false);
  assertMatch(message, new RegExp(`^127.0.0.1:${server.port}: `));
  return message;
}

for (const starttls of STARTTLS_PROTOCOLS) {
  testWith(["openssl"], `${starttls}: TLS begins after the go-ahead`, async () => {
    await using authority = await CertificateAuthority.make();
    const identity = await authority.sign();
    // MySQL's request follows a whole greeting.
    for (const pieces of [Infinity, 1]) {
      await using server = await startTlsServer(identity, { ...OFFERED[starttls], pieces });
      await assertEcho(await dialTls(server.port, { starttls, authority }));
    }
  });

  testWith(["openssl"], `${starttls}: a server that does not offer it is told so`, async () => {
    const [dialogue, told] = NOT_OFFERED[starttls];
    assertMatch(await faultOf(dialogue, { starttls }), told);
  });

  testWith(["openssl"], `${starttls}: bytes between the go-ahead and TLS end it`, async () => {
    const dialogue = injected(OFFERED[starttls], "\x1b250 injected\r\n");
    assertMatch(
      await faultOf(dialogue, { starttls }),
      /sent \d+ bytes between its go-ahead and TLS, .*: "\\u001b250 injected\\r\\n"$/,
    );
  });

  testWith(["openssl"], `${starttls}: what a server says before TLS is bounded`, async () => {
    // More than a whole line, packet or element.
    const flood = starttls === "xmpp" ? "<a>".repeat(10_000) : `220-${"x".repeat(20_000)}`;
    const greeting = starttls === "imap"
      ? `* ${flood}`
      : starttls === "pop3"
      ? `+OK${flood}`
      : flood;
    assertMatch(
      await faultOf({ greeting, answers: [[/x/, ""]] }, { starttls }),
      /more than 16(\.0)? KiB before TLS|does not speak (PostgreSQL|MySQL|LDAP)/,
    );
  });

  testWith(["openssl"], `${starttls}: a server that closes is told`, async () => {
    assertMatch(
      await faultOf({ closes: true }, { starttls }),
      /the server closed the connection before TLS|connection reset|has closed the connection/,
    );
  });
}

for (const starttls of ["xmpp", "postgres", "ldap"] as const) {
  testWith(["openssl"], `${starttls}: a server that speaks TLS at once is told`, async () => {
    assertMatch(
      await faultOf({}, { starttls }),
      /does not speak \w+: it sent "\\u0015\\u0003.*" \(it speaks TLS already\)$/,
    );
  });
}

testWith(["openssl"], "a server that waits for TLS is told to have sent no greeting", async () => {
  assertMatch(
    await faultOf({}, { starttls: "smtp", timeout: 5_000 }),
    /connected, but no SMTP greeting in 5\.00 s$/,
  );
});

/** Servers of others, and the Debian packages that they are in. */
const DAEMONS: Readonly<Record<string, readonly string[]>> = {
  smtp: ["python3-aiosmtpd"],
  imap: ["dovecot", "root"],
  pop3: ["dovecot", "root"],
  ftp: ["vsftpd", "root"],
  xmpp: ["prosody", "root"],
  ldap: ["slapd", "root"],
  postgres: ["postgres", "root"],
};

for (const [name, needs] of Object.entries(DAEMONS)) {
  testWith(["openssl", ...needs], `${name}: TLS begins with ${needs[0]}`, async () => {
    await using authority = await CertificateAuthority.make();
    await using daemon = await startTlsDaemon(name, await authority.sign());
    const starttls = name as StartTlsProtocol;
    (await dialTls(daemon.port, { starttls, authority })).close();
  });
}

testWith(["openssl", "stunnel4"], "postgres: TLS begins with stunnel", async () => {
  await using authority = await CertificateAuthority.make();
  const { cert, key } = await authority.sign();
  await using echo = await TestServer.open("echo://:0");
  await using front = await stunnel((port) => [
    ...[`accept = 127.0.0.1:${port}`, `connect = 127.0.0.1:${echo.port()}`],
    ...[`cert = ${cert}`, `key = ${key}`, "protocol = pgsql"],
  ]);
  await assertEcho(await dialTls(front.port, { starttls: "postgres", authority }));
});

testWith(
  ["openssl"],
  "the client shows the greeting and the exchange, and reports both",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using server = await startTlsServer(await authority.sign(), OFFERED.smtp);
    const words = ["client", "-v", "--json", "--starttls", "smtp", "--tls-ca", authority.cert];
    const { code, stdout, stderr } = await run(outlet(...words, `localhost:${server.port}`), {
      stdin: "hello\n",
    });
    assertEquals({ code, stdout }, { code: 0, stdout: "hello\n" });
    assertMatch(stderr, /greeting 220-mx\.test ESMTP 220 no spam\noutlet: STARTTLS of smtp in /);
    assertMatch(
      stderr,
      /"starttls":\{"protocol":"smtp","ms":[\d.]+\},"tls":\{"protocol":"TLSv1\.3"/,
    );
  },
);

Deno.test("STARTTLS and a WebSocket exclude each other", async () => {
  const refused = async (args: readonly string[], text: string) => {
    const { code, stderr } = await run(outlet("client", ...args));
    assertEquals({ code, stderr }, { code: 2, stderr: `outlet: ${text}\n` });
  };
  await refused(
    ["--starttls", "smtp", "ws://localhost:25"],
    "--starttls and --ws exclude each other",
  );
  await refused(
    ["--starttls", "gopher", "localhost:25"],
    '--starttls "gopher": expected one of smtp, imap, pop3, ftp, xmpp, postgres, mysql, ldap',
  );
});
