/** The proxy over IPv6. */
import { assertEquals } from "@std/assert";
import { readFull } from "../../../src/transport/proxy/read_full.ts";
import { bytesOf, readText, readUntil, send } from "../../harness/bytes.ts";
import { TestServer } from "../../harness/server.ts";

const HOST = "::1";
const LOOPBACK = [4, ...new Array(15).fill(0), 1];

/** Asks for a command with the address ::1; resolves to the port of the reply, whose address is ::1. */
async function asked(client: Deno.TcpConn, command: number, port: number): Promise<number> {
  await send(client, Uint8Array.of(5, 1, 0, 5, command, 0, ...LOOPBACK, port >> 8, port & 0xff));
  assertEquals([...await readFull(client, 2)], [5, 0]);
  const reply = await readFull(client, 22);
  assertEquals([...reply.subarray(0, 20)], [5, 0, 0, ...LOOPBACK]);
  return reply[20]! << 8 | reply[21]!;
}

Deno.test("SOCKS 5 and HTTP connect over IPv6", async () => {
  await using server = await TestServer.open("proxy://[::1]:0", "echo://[::1]:0");
  using socks = await Deno.connect({ hostname: HOST, port: server.port() });
  await asked(socks, 1, server.port(1));
  using http = await Deno.connect({ hostname: HOST, port: server.port() });
  await send(http, `CONNECT [::1]:${server.port(1)} HTTP/1.1\r\n\r\n`);
  await readUntil(http, /200 .*\r\n\r\n/);
  for (const client of [socks, http]) {
    await send(client, "hello");
    await client.closeWrite();
    assertEquals(await readText(client), "hello");
  }
});

Deno.test("BIND listens, and UDP ASSOCIATE relays, at the IPv6 address where the client came in", async () => {
  await using server = await TestServer.open("proxy://[::1]:0", "echo+udp://[::1]:0");
  using binding = await Deno.connect({ hostname: HOST, port: server.port() });
  using _target = await Deno.connect({ hostname: HOST, port: await asked(binding, 2, 1) });
  assertEquals((await readFull(binding, 22))[1], 0);
  using control = await Deno.connect({ hostname: HOST, port: server.port() });
  const relay = { transport: "udp", hostname: HOST, port: await asked(control, 3, 0) } as const;
  const client = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
  const echo = server.port(1);
  const message = Uint8Array.of(0, 0, 0, ...LOOPBACK, echo >> 8, echo & 0xff, ...bytesOf("hello"));
  await client.send(message, relay);
  const [answer] = await client.receive();
  assertEquals(answer, message);
  client.close();
});
