import { assertEquals, assertMatch } from "@std/assert";
import { noise, readText, readUntil, send, sha256 } from "../harness/bytes.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { eventually } from "../harness/eventually.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { from, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** Reads exactly this many bytes. */
async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let got = 0; got < length;) {
    const n = await conn.read(bytes.subarray(got));
    if (n === null) throw new Error(`ended after ${got} of ${length} bytes`);
    got += n;
  }
  return bytes;
}

/** A client that the server has opened. */
async function member(server: TestServer): Promise<Deno.TcpConn> {
  const client = await server.connect();
  await server.event("opened", from(client));
  return client;
}

function openedBy(server: TestServer): number {
  return server.events.filter(({ event }) => event === "opened").length;
}

/** Resolves when the server has opened this many connections. */
async function opened(server: TestServer, count: number): Promise<void> {
  await eventually(() => openedBy(server) >= count, `${count} connections`);
}

Deno.test("a broker sends each client's bytes to all others, and not back", async () => {
  await using server = await TestServer.open("broker://:0");
  using one = await member(server);
  using two = await member(server);
  using three = await member(server);
  await send(one, Uint8Array.of(0, 255, 10, 65));
  assertEquals([...await readExactly(two, 4)], [0, 255, 10, 65]);
  assertEquals([...await readExactly(three, 4)], [0, 255, 10, 65]);
  await send(two, "b");
  assertEquals([...await readExactly(one, 1)], [0x62]);
});

Deno.test("the bytes of one client reach all others in order and complete", async () => {
  await using server = await TestServer.open("broker://:0");
  using sender = await member(server);
  using one = await member(server);
  using two = await member(server);
  const bytes = noise(8_000_000);
  const [got, other] = await Promise.all([
    readExactly(one, bytes.length),
    readExactly(two, bytes.length),
    send(sender, bytes),
  ]);
  assertEquals(await sha256(got), await sha256(bytes));
  assertEquals(await sha256(other), await sha256(bytes));
});

Deno.test("a client that does not read is disconnected, and the others get everything", async () => {
  await using server = await TestServer.open("broker://:0");
  using sender = await member(server);
  using reader = await member(server);
  using stalled = await member(server);
  const bytes = noise(32_000_000);
  const [got] = await Promise.all([readExactly(reader, bytes.length), send(sender, bytes)]);
  assertEquals(await sha256(got), await sha256(bytes));
  const { reason } = await server.event("closed", from(stalled));
  assertMatch(reason, /^error: slow consumer, \d+ KiB queued$/);
});

Deno.test("two clients that send without reading hold nobody else for long", async () => {
  await using server = await TestServer.open("broker://:0");
  using one = await member(server);
  using two = await member(server);
  const flood = new Uint8Array(32_000_000);
  const sending = [one, two].map((client) => send(client, flood).catch(() => {}));
  await Promise.race([one, two].map((client) => server.event("closed", from(client))));
  using three = await member(server);
  using four = await member(server);
  const answered = readUntil(four, /still here/);
  const discarding = three.readable.pipeTo(new WritableStream()).catch(() => {});
  await send(three, "still here");
  await answered;
  await server.server.stop({ grace: 0 });
  await Promise.all([...sending, discarding]);
});

Deno.test("a client that half-closes leaves the broker after it got what was sent to it", async () => {
  await using server = await TestServer.open("broker://:0");
  using one = await member(server);
  using two = await member(server);
  await send(one, "for two");
  await readExactly(two, 3);
  await two.closeWrite();
  assertEquals(await readText(two), " two");
  assertEquals((await server.event("closed", from(two))).reason, "peer closed");
});

testWith(["ncat", "socat", "busybox", "nc"], "netcats of all kinds meet at a broker", async () => {
  await using server = await TestServer.open("broker://:0");
  const port = String(server.port());
  await using ncat = new Program(["ncat", "127.0.0.1", port]);
  await using socat = new Program(["socat", "-", `TCP:127.0.0.1:${port}`]);
  await using busybox = new Program(["busybox", "nc", "127.0.0.1", port]);
  await using client = new Program(outlet("client", "127.0.0.1", port));
  const all = { ncat, socat, busybox, client };
  await opened(server, 4);
  for (const [name, program] of Object.entries(all)) {
    await program.type(`from ${name}\n`);
    const others = Object.values(all).filter((other) => other !== program);
    await Promise.all(others.map((other) => other.prints(new RegExp(`from ${name}\n`))));
  }
});

testWith(
  ["openssl"],
  "clients of a broker over TLS, WebSocket and TCP have a broker each",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    await using server = await TestServer.open(
      `broker://:0?tls&tls-cert=${cert}&tls-key=${key}`,
      "broker+ws://:0",
    );
    for (
      const target of [`tls://localhost:${server.port(0)}`, `ws://127.0.0.1:${server.port(1)}`]
    ) {
      const options = target.startsWith("tls") ? ["--tls-ca", authority.cert] : [];
      const connect = () => new Program(outlet("client", target, ...options));
      const before = openedBy(server);
      await using one = connect();
      await using two = connect();
      await opened(server, before + 2);
      await one.type("hello\n");
      await two.prints(/hello\n/);
    }
  },
);

Deno.test("stdin of the server reaches all clients of a broker with stdin, and waits for the first", async () => {
  await using server = new Program(
    outlet("server", "broker://127.0.0.1:0?stdin", "--drain-timeout", "0"),
  );
  const [, port] = await server.logs(/listening broker on 127\.0\.0\.1:(\d+)/);
  await server.logs(/ready/);
  await server.type("early\n");
  await using one = new Program(outlet("client", "127.0.0.1", port!));
  await one.prints(/early\n/);
  await using two = new Program(outlet("client", "127.0.0.1", port!));
  await server.logs(/opened .*#2/);
  await server.type("to all\n");
  await Promise.all([one, two].map((client) => client.prints(/to all\n/)));
  await server.end();
  await one.type("after the end of stdin\n");
  await two.prints(/after the end of stdin\n/);
  server.signal("SIGTERM");
  const { stdout } = await server.outcome();
  assertEquals(stdout, "");
});

Deno.test("a broker is refused with workers", async () => {
  const { code, stderr } = await run(outlet("server", "broker://:0", "--workers", "2"));
  assertEquals(code, 2);
  assertMatch(stderr, /workers and broker exclude each other/);
});
