/** `outlet client HOST PORT -- PROGRAM`: a program on a connection, as with ncat -e and tcpclient. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { noise, readText, readUntil, send, sha256 } from "../harness/bytes.ts";
import { sendReset } from "../../src/transport/reset.ts";
import { libc } from "../../src/transport/libc.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { testWith } from "../harness/tools.ts";

// Loaded once per process, so the sanitizer of the first test would report it as a leak.
libc();

/** A client that runs a shell script with its connection. */
function shell(port: number, script: string, ...options: string[]): [string, ...string[]] {
  return outlet("client", "127.0.0.1", String(port), ...options, "--", "sh", "-c", script);
}

/** Resets a connection, as a crashed peer does. */
function resetWith(peer: Deno.TcpConn): void {
  assert(sendReset(peer), "the system sends no RST");
}

/** A listener that serves clients by hand, one after the other. */
function byHand(): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}

Deno.test("a program's stdin and stdout are the connection, and its exit code is the client's", async () => {
  using listener = byHand();
  const client = run(shell(listener.addr.port, "read line; echo got $line; echo note >&2; exit 3"));
  using peer = await listener.accept();
  await send(peer, "hello\n");
  assertEquals(await readText(peer), "got hello\n");
  const { code, stdout, stderr } = await client;
  assertEquals([code, stdout, stderr], [3, "", "note\n"]);
});

for (const options of [[], ["--ucspi"]]) {
  const [reads, writes] = options.length > 0 ? ["<&6", ">&7"] : ["", ""];
  const through = options.length > 0 ? "descriptors 6 and 7" : "pipes";

  Deno.test(`megabytes pass through ${through} in both directions`, async () => {
    await using server = await TestServer.open("echo://:0");
    await using folder = await TemporaryDirectory.make();
    const bytes = noise(3_000_000);
    await Deno.writeFile(`${folder.path}/in`, bytes);
    const script = options.length > 0
      ? `cat <&6 > ${folder.path}/out 7>&- & cat ${folder.path}/in >&7; exec 7>&-; wait`
      : `exec 3<&0; (cat <&3 > ${folder.path}/out) & cat ${folder.path}/in; exec >&-; wait`;
    const { code, stderr } = await run(shell(server.port(), script, ...options));
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await sha256(await Deno.readFile(`${folder.path}/out`)), await sha256(bytes));
  });

  Deno.test(`a program that closes its output through ${through} half-closes the connection`, async () => {
    using listener = byHand();
    const closes = options.length > 0 ? "exec 7>&-" : "exec >&-";
    const script = `echo question ${writes}; ${closes}; cat ${reads} >&2`;
    const client = run(shell(listener.addr.port, script, ...options));
    using peer = await listener.accept();
    assertEquals(await readText(peer), "question\n");
    await send(peer, "answer\n");
    peer.close();
    const { code, stderr } = await client;
    assertEquals([code, stderr], [0, "answer\n"]);
  });

  Deno.test(`a reset ends the program through ${through}, and the client fails`, async () => {
    using listener = byHand();
    await using client = new Program(
      shell(listener.addr.port, `echo ready >&2; exec sleep 60 ${reads}`, ...options),
    );
    using peer = await listener.accept();
    await client.logs(/ready/);
    resetWith(peer);
    const { code, stderr } = await client.outcome();
    assertEquals(code, 1);
    assertMatch(stderr, /connection reset by 127\.0\.0\.1:\d+/);
  });
}

Deno.test("with --ucspi a program keeps the client's stdin, stdout and stderr", async () => {
  await using server = await TestServer.open("echo://:0");
  const script = "read word; echo $word >&7; read back <&6; echo $back; exit 5";
  const { code, stdout } = await run(shell(server.port(), script, "--ucspi"), { stdin: "typed\n" });
  assertEquals([code, stdout], [5, "typed\n"]);
});

Deno.test("a program that a signal ends gives the exit code of a shell", async () => {
  await using server = await TestServer.open("echo://:0");
  assertEquals((await run(shell(server.port(), "kill -9 $$"))).code, 137);
});

Deno.test("a signal to the client ends the program, which may still decide the exit code", async () => {
  await using server = await TestServer.open("echo://:0");
  await using client = new Program(
    shell(server.port(), "trap 'exit 9' TERM; echo ready >&2; while :; do sleep 0.1; done"),
  );
  await client.logs(/ready/);
  client.signal("SIGTERM");
  assertEquals((await client.outcome()).code, 9);
});

Deno.test("a program that cannot be started is wrong usage, before anything is connected to", async () => {
  const { code, stderr } = await run(outlet("client", "127.0.0.1", "9", "--", "no-such-program"));
  assertEquals(code, 2);
  assertEquals(
    stderr,
    'outlet: cannot run "no-such-program": no such program, or no permission to run it\n',
  );
});

Deno.test("--retry repeats connection and program until the program succeeds, and keeps what was saved", async () => {
  await using server = await TestServer.open("daytime://:0");
  await using folder = await TemporaryDirectory.make();
  const counter = `${folder.path}/count`;
  const saved = `${folder.path}/saved`;
  const script = `cat > /dev/null; echo x >> ${counter}; [ $(wc -l < ${counter}) -eq 3 ]`;
  const options = ["--retry", "5", "--retry-delay", "10ms", "-o", saved];
  const { code, stderr } = await run(shell(server.port(), script, ...options));
  assertEquals(code, 0, stderr);
  assertEquals(await Deno.readTextFile(counter), "x\nx\nx\n");
  assertEquals((await Deno.readTextFile(saved)).match(/GMT\r\n/g)?.length, 3);
  assertStringIncludes(stderr, '"sh" ended with exit code 1; trying again');
});

Deno.test("the last exit code counts when all retries are used up", async () => {
  await using server = await TestServer.open("daytime://:0");
  const options = ["--retry", "2", "--retry-delay", "10ms"];
  assertEquals((await run(shell(server.port(), "exit 4", ...options))).code, 4);
  const closed = freePort();
  const { code, stderr } = await run(shell(closed, "exit 4", ...options));
  assertEquals(code, 1);
  assertMatch(stderr, /refused[^]*trying again[^]*trying again/);
});

Deno.test("--crlf sends a program's lines with CRLF, and what it receives is unchanged", async () => {
  using listener = byHand();
  const client = run(shell(listener.addr.port, "echo a; cat >&2", "-C"));
  using peer = await listener.accept();
  assertEquals(await readUntil(peer, /\n/), "a\r\n");
  await send(peer, "b\n");
  peer.close();
  assertEquals((await client).stderr, "b\n");
});

testWith(["openssl"], "a program has the TLS session in its environment", async () => {
  await using authority = await CertificateAuthority.make();
  const { cert, key } = await authority.sign();
  await using server = await TestServer.open(
    `echo://:0?tls&tls-cert=${cert}&tls-key=${key}&alpn=echo`,
  );
  const { stderr } = await run(outlet(
    ...["client", `tls://localhost:${server.port()}`, "--tls-ca", authority.cert],
    ...["--alpn", "echo", "--", "sh", "-c", "echo $TLS_PROTOCOL $TLS_ALPN >&2"],
  ));
  assertMatch(stderr, /^TLSv1\.3 echo$/m);
});

Deno.test("a program on a Unix socket has its path in the environment", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/s`;
  await using _server = await TestServer.open(`echo+unix://${path}`);
  const { stderr } = await run(
    outlet("client", `unix:${path}`, "--", "sh", "-c", "echo $PROTO $UNIXREMOTEPATH >&2"),
  );
  assertEquals(stderr, `UNIX ${path}\n`);
});

testWith(
  ["tcpclient"],
  "a program gets what tcpclient gives it: descriptors and environment",
  async () => {
    await using server = await TestServer.open("echo://:0");
    const port = String(server.port());
    const script = "env | grep -E '^(PROTO|TCP)' | grep -v LOCALPORT | grep -v HOST | sort; " +
      "echo over >&7; head -n 1 <&6";
    const theirs = await run(["tcpclient", "-RHl0", "127.0.0.1", port, "sh", "-c", script]);
    // Variables of another connection are not passed on.
    const env = { TCPREMOTEHOST: "elsewhere", TCPCONNNUM: "7" };
    const ours = await run(shell(server.port(), script, "--ucspi"), { env });
    assertEquals(ours.stdout, theirs.stdout);
    assertStringIncludes(ours.stdout, `TCPREMOTEPORT=${port}\nover\n`);
  },
);

testWith(["tcpclient", "delcr"], "a UCSPI client of ucspi-tcp runs under outlet", async () => {
  using listener = byHand();
  // mconnect-io copies stdin to descriptor 7 and descriptor 6 to stdout.
  await using client = new Program(outlet(
    ...["client", "127.0.0.1", String(listener.addr.port), "--ucspi", "--", "mconnect-io"],
  ));
  using peer = await listener.accept();
  await client.type("EHLO me\n");
  assertEquals(await readUntil(peer, /\n/), "EHLO me\r\n");
  await send(peer, "250 ok\r\n");
  await client.prints(/250 ok/);
  await client.end();
  peer.close();
  assertEquals((await client.outcome()).code, 0);
});

const SERVERS: Readonly<Record<string, (port: string) => [string, ...string[]]>> = {
  ncat: (port) => ["ncat", "-l", "127.0.0.1", port],
  socat: (port) => ["socat", "-", `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`],
  busybox: (port) => ["busybox", "nc", "-l", "-p", port],
};

for (const [tool, command] of Object.entries(SERVERS)) {
  testWith([tool], `a program of the client answers the one who types at ${tool}`, async () => {
    const port = freePort();
    await using server = new Program(command(String(port)));
    const script = "read line; echo you typed $line";
    const client = run(shell(port, script, "--retry", "100", "--retry-delay", "50ms"));
    await server.type("this\n");
    await server.prints(/you typed this\n/);
    assertEquals((await client).code, 0);
    await server.end();
    await server.outcome();
  });
}

testWith(["tcpserver"], "a program of the client talks to one of tcpserver", async () => {
  const port = freePort();
  await using _server = new Program([
    ...["tcpserver", "-RHl0", "127.0.0.1", String(port), "sh", "-c", "read line; echo $line back"],
  ] as [string, ...string[]]);
  const options = ["--retry", "100", "--retry-delay", "50ms"];
  const { stderr, code } = await run(shell(port, "echo to; cat >&2", ...options));
  assertEquals(code, 0);
  assertMatch(stderr, /to back\n$/);
});

Deno.test("a peer that never reads holds the program, and its reset ends it", async () => {
  using listener = byHand();
  await using client = new Program(shell(listener.addr.port, "yes; echo over >&2"));
  using peer = await listener.accept();
  await peer.read(new Uint8Array(1));
  resetWith(peer);
  assertEquals((await client.outcome()).code, 1);
});

Deno.test("what cannot be combined with a program is refused", async () => {
  for (const flag of ["--send-only", "--recv-only", "-z", "--bench", "--raw"]) {
    const { code, stderr } = await run(shell(9, "true", flag));
    assertEquals(code, 2, flag);
    assertMatch(stderr, /exclude each other/);
  }
  const { stderr } = await run(outlet("client", "127.0.0.1", "9", "--ucspi"));
  assertEquals(stderr, "outlet: --ucspi needs --command\n");
});
