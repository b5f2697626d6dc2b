/** UDP ASSOCIATE of SOCKS 5. */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { bytesOf } from "../../harness/bytes.ts";
import { UdpClient } from "../../harness/datagrams.ts";
import { eventually } from "../../harness/eventually.ts";
import { TestServer } from "../../harness/server.ts";
import { addressBytes, ask, COMMAND, reply, type SocksAddress } from "../../harness/socks.ts";

const LOCAL = "127.0.0.1";
const UNKNOWN = { hostname: "0.0.0.0", port: 0 };

/** A datagram for the proxy. */
function message(to: SocksAddress, text: string, fragment = 0): Uint8Array {
  return Uint8Array.of(0, 0, fragment, ...addressBytes(to), ...bytesOf(text));
}

/** The sender and the text of a datagram from the proxy. */
function read(datagram: Uint8Array): { from: string; text: string } {
  assertEquals([...datagram.subarray(0, 4)], [0, 0, 0, 1]);
  const port = datagram[8]! << 8 | datagram[9]!;
  const text = new TextDecoder().decode(datagram.subarray(10));
  return { from: `${datagram.subarray(4, 8).join(".")}:${port}`, text };
}

/** A control connection, and the address where its datagrams are relayed. */
async function associate(
  server: TestServer,
  origin: SocksAddress = UNKNOWN,
): Promise<{ control: Deno.TcpConn; port: number }> {
  const control = await server.connect();
  await ask(control, COMMAND.associate, origin);
  const { code, hostname, port } = await reply(control);
  assertEquals([code, hostname], [0, LOCAL]);
  return { control, port };
}

Deno.test("datagrams go to an address or a name, and replies carry the address that they come from", async () => {
  await using server = await TestServer.open("proxy://:0", "echo+udp://:0");
  const { control, port } = await associate(server);
  using client = new UdpClient(port);
  const echo = server.port(1);
  for (const hostname of [LOCAL, "localhost"]) {
    await client.send(message({ hostname, port: echo }, `to ${hostname}`));
    assertEquals(read(await client.receive()), {
      from: `${LOCAL}:${echo}`,
      text: `to ${hostname}`,
    });
  }
  control.close();
  const { notes, bytesIn } = await server.event(
    "closed",
    ({ notes }) => notes?.request === "socks5 associate",
  );
  assertEquals([notes?.["datagrams-in"], notes?.["datagrams-out"]], [2, 2]);
  assertEquals(notes?.dropped, undefined);
  assertEquals(bytesIn > 40, true);
});

Deno.test("each association has a port of its own, which is closed with its control connection", async () => {
  await using server = await TestServer.open("proxy://:0");
  const [first, second] = [await associate(server), await associate(server)];
  assertNotEquals(first.port, second.port);
  first.control.close();
  const isFree = () => {
    try {
      Deno.listenDatagram({ transport: "udp", hostname: LOCAL, port: first.port }).close();
      return true;
    } catch {
      return false;
    }
  };
  await eventually(isFree, "a free port");
  second.control.close();
});

Deno.test("only the client is relayed: not another address, and not another port", async () => {
  await using server = await TestServer.open("proxy://:0", "echo+udp://:0");
  using client = new UdpClient(0);
  const { control, port } = await associate(server, { hostname: LOCAL, port: client.port });
  const to = { hostname: LOCAL, port: server.port(1) };
  const relay = { transport: "udp", hostname: LOCAL, port } as const;
  const stranger = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.2", port: 0 });
  await stranger.send(message(to, "stranger"), relay);
  stranger.close();
  using other = new UdpClient(port);
  await other.send(message(to, "other port"));
  await client.sendTo(message(to, "mine"), relay);
  assertEquals(read(await client.receive()).text, "mine");
  control.close();
  const { notes } = await server.event("closed", ({ notes }) => notes?.dropped !== undefined);
  assertMatch(String(notes?.dropped), /1 not from the client/);
  assertMatch(String(notes?.dropped), /1 from another port/);
});

Deno.test("the first datagram of the client's address tells its port, if the request does not", async () => {
  await using server = await TestServer.open("proxy://:0", "echo+udp://:0");
  const { control, port } = await associate(server, { hostname: "10.9.8.7", port: 9 });
  const to = { hostname: LOCAL, port: server.port(1) };
  using client = new UdpClient(port);
  assertEquals(read((await client.send(message(to, "a")), await client.receive())).text, "a");
  using other = new UdpClient(port);
  await other.send(message(to, "b"));
  await client.send(message(to, "c"));
  assertEquals(read(await client.receive()).text, "c");
  control.close();
  const { notes } = await server.event("closed", ({ notes }) => notes?.dropped !== undefined);
  assertEquals(notes?.dropped, "1 from another port");
});

Deno.test("nobody answers who was not sent to, and what is no message is dropped with a count", async () => {
  await using server = await TestServer.open("proxy://:0?to-deny=10.0.0.0/8", "echo+udp://:0");
  const { control, port } = await associate(server);
  const to = { hostname: LOCAL, port: server.port(1) };
  using client = new UdpClient(port);
  const wrong = [
    message(to, "x", 1),
    Uint8Array.of(0, 0),
    Uint8Array.of(0, 1, 0, 1, 127, 0, 0, 1, 0, 9),
    Uint8Array.of(0, 0, 0, 7, 127, 0, 0, 1, 0, 9),
    Uint8Array.of(0, 0, 0, 3, 200, 65, 66),
    message({ hostname: LOCAL, port: 0 }, "x"),
    message({ hostname: "a b", port: 9 }, "x"),
    message({ hostname: "10.0.0.1", port: 9 }, "x"),
  ];
  for (const datagram of wrong) await client.send(datagram);
  await client.send(message(to, "last"));
  assertEquals(read(await client.receive()).text, "last");
  control.close();
  const { notes } = await server.event("closed", ({ notes }) => notes?.dropped !== undefined);
  assertEquals(
    notes?.dropped,
    "1 a fragment; 2 too short; 1 malformed; 1 unknown address type; 1 port 0; 1 no valid name; " +
      "1 not allowed",
  );
});

Deno.test("large datagrams are relayed whole", async () => {
  await using server = await TestServer.open("proxy://:0", "echo+udp://:0?max-datagram=60k");
  const { control, port } = await associate(server);
  using client = new UdpClient(port);
  const text = "x".repeat(50_000);
  await client.send(message({ hostname: LOCAL, port: server.port(1) }, text));
  assertEquals(read(await client.receive()).text, text);
  control.close();
});
