/** Resets are forwarded as resets, as seen by tcpdump. */
import { assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../harness/ports.ts";
import { Program, run } from "../harness/program.ts";
import { from, TestServer } from "../harness/server.ts";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { testWith } from "../harness/tools.ts";

/** Captures the RSTs of one TCP port on loopback, until disposed. */
async function watchResets(port: number): Promise<Program> {
  const filter = `tcp port ${port} and tcp[tcpflags] & tcp-rst != 0`;
  // A short snapshot length: before its filter is attached, tcpdump's buffer fills with packets of
  // all ports, and has space for 32 of full length.
  const capture = ["tcpdump", "-lnn", "--immediate-mode", "-s", "128", "-i", "lo", filter] as const;
  const tcpdump = new Program([...capture]);
  await tcpdump.logs(/listening on/);
  return tcpdump;
}

/** Resets a connection after a byte in each direction, as a client or as a server. */
const RESETTING = `
import socket, struct, sys
if sys.argv[1] == "connect":
    peer = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
else:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
    print("listening", flush=True)
    peer, _ = listener.accept()
peer.send(b"x")
peer.recv(1)
peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
peer.close()
`;

/** What a client reads to the end, and whether it ends with FIN or an error. */
async function endOf(client: Deno.Conn): Promise<string> {
  return await readText(client).then((text) => `${text}, then an end`, (error) => error.name);
}

const NEEDED = ["tcpdump", "python3"];

testWith(
  NEEDED,
  "a client that resets its connection makes forward reset the upstream",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    await using seen = await watchResets(port);
    await using server = await TestServer.open(`forward://:0?to=127.0.0.1:${port}`);
    const resetting = run(["python3", "-c", RESETTING, "connect", String(server.port())]);
    using upstream = await listener.accept();
    await readUntil(upstream, /x/);
    await send(upstream, "x");
    assertEquals(await endOf(upstream), "ConnectionReset");
    await seen.prints(new RegExp(`> 127\\.0\\.0\\.1\\.${port}: Flags \\[R`));
    const { reason, notes } = await server.event("closed");
    assertEquals(reason, "peer reset");
    assertEquals(notes, { upstream: `127.0.0.1:${port}` });
    await resetting;
  },
);

for (const tls of ["", "tls&tls-self-signed&"]) {
  testWith(
    NEEDED,
    `an upstream that resets its connection makes forward reset the client${
      tls && ", also over TLS"
    }`,
    async () => {
      const upstreamPort = freePort();
      await using upstream = new Program(
        ["python3", "-c", RESETTING, "listen", String(upstreamPort)],
      );
      await upstream.prints(/listening/);
      await using server = await TestServer.open(
        `forward://:0?${tls}to=127.0.0.1:${upstreamPort}`,
      );
      const port = server.port();
      await using seen = await watchResets(port);
      if (tls) {
        await using client = new Program([
          "openssl",
          "s_client",
          "-quiet",
          "-connect",
          `127.0.0.1:${port}`,
        ]);
        await client.prints(/x/);
        await client.type("x");
        await server.event("closed");
        await seen.prints(new RegExp(`127\\.0\\.0\\.1\\.${port} > .*: Flags \\[R`));
      } else {
        using client = await server.connect();
        await readUntil(client, /x/);
        await send(client, "x");
        assertEquals(await endOf(client), "ConnectionReset");
        await seen.prints(new RegExp(`127\\.0\\.0\\.1\\.${port} > .*: Flags \\[R`));
      }
      assertEquals((await server.event("closed")).reason, "upstream reset");
    },
  );
}

testWith(NEEDED.slice(0, 1), "a client is reset if no upstream is available", async () => {
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${freePort()},127.0.0.1:${freePort()}`,
  );
  await using seen = await watchResets(server.port());
  using client = await server.connect();
  assertEquals(await endOf(client), "ConnectionReset");
  await seen.prints(/Flags \[R/);
  assertMatch((await server.event("closed")).reason, /^error: no upstream available: /);
});

Deno.test("a Unix socket cannot be reset, so it is closed, and the event notes that", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using server = await TestServer.open(
      `forward+unix://${folder}/outlet.sock?to=127.0.0.1:${freePort()}`,
    );
    using client = await Deno.connect({ transport: "unix", path: `${folder}/outlet.sock` });
    assertEquals(await endOf(client), ", then an end");
    const { reason, notes } = await server.event("closed");
    assertMatch(reason, /^error: no upstream available/);
    assertEquals(notes, { reset: "sent as FIN" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a client aborted by a drain makes forward reset the upstream, so that a partial request does not look complete", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = await TestServer.open(`forward://:0?to=127.0.0.1:${listener.addr.port}`);
  using client = await server.connect();
  using upstream = await listener.accept();
  await send(client, "half of it");
  await readUntil(upstream, /half of it/);
  assertEquals(await server.server.stop({ grace: 0 }), 1);
  assertEquals(await endOf(upstream), "ConnectionReset");
  assertEquals((await server.event("closed", from(client))).reason, "drain timeout");
});
