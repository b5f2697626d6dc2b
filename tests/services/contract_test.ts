/** Requirements for every service. A new service is tested by being registered. */
import { assertEquals } from "@std/assert";
import { ADMISSION_OPTIONS } from "../../src/config/admission_options.ts";
import { OUTLET_IDENTITY, OUTLET_OPTIONS } from "../../src/config/outlet_options.ts";
import { SERVER_OPTIONS } from "../../src/config/server_config.ts";
import { SERVICES } from "../../src/services/registry.ts";
import { bytesOf, send } from "../harness/bytes.ts";
import { UdpClient } from "../harness/datagrams.ts";
import { TestServer } from "../harness/server.ts";

for (const { name, options } of SERVICES.values()) {
  Deno.test(`${name}: no option has the name of one that every outlet or the server has`, () => {
    const others = {
      ...OUTLET_IDENTITY,
      ...OUTLET_OPTIONS,
      ...ADMISSION_OPTIONS,
      ...SERVER_OPTIONS,
    };
    assertEquals(Object.keys(options).filter((option) => Object.hasOwn(others, option)), []);
  });

  Deno.test(`${name}: a client that half-closes and reads to the end leaves no resources behind`, async () => {
    await using stage = new AsyncDisposableStack();
    const server = await open(name, stage);
    {
      using client = await server.connect();
      await send(client, "hello\n");
      await client.closeWrite();
      await readSome(client, 100_000);
    }
    await server.event("closed");
    assertEquals([...server.server.connections()], []);
  });

  Deno.test(`${name}: a client that sends one byte at a time is served like any other`, async () => {
    await using stage = new AsyncDisposableStack();
    const server = await open(name, stage);
    const client = await server.connect();
    for (const byte of bytesOf("/who\r\n")) await send(client, Uint8Array.of(byte)).catch(() => {});
    client.close();
    const { reason } = await server.event("closed");
    assertEquals(reason.startsWith("error"), false, reason);
  });

  Deno.test(`${name}: a client that closes without sending anything does not affect others`, async () => {
    await using stage = new AsyncDisposableStack();
    const server = await open(name, stage);
    (await server.connect()).close();
    await server.event("closed");
    using next = await server.connect();
    await server.event("opened", ({ connection }) => connection !== firstOf(server));
    await send(next, "hello\n").catch(() => {});
  });

  Deno.test(`${name}: clients do not delay a stopping server`, async () => {
    await using stage = new AsyncDisposableStack();
    const server = await open(name, stage);
    using _client = await server.connect();
    await server.event("opened");
    await server.server.stop({ grace: 0 });
    await server.event("stopped");
    assertEquals([...server.server.connections()], []);
  });
}

for (const { name, datagram } of SERVICES.values()) {
  if ("refused" in datagram) continue;
  const overUdp = (stack: AsyncDisposableStack) => open(name, stack, `${name}+udp`);

  Deno.test(`${name} over UDP: empty, small and largest datagrams leave it serving others`, async () => {
    await using stack = new AsyncDisposableStack();
    const server = await overUdp(stack);
    using client = new UdpClient(server.port());
    for (const length of [0, 1, 512, 2_048]) await client.send(new Uint8Array(length));
    using next = new UdpClient(server.port());
    await next.send("hello");
    await server.event("opened", ({ peer }) => "port" in peer && peer.port === next.port);
    assertEquals(server.events.filter(({ event }) => event === "failed"), []);
  });

  Deno.test(`${name} over UDP: a datagram that is too long is dropped and counted`, async () => {
    await using stack = new AsyncDisposableStack();
    const server = await overUdp(stack);
    using client = new UdpClient(server.port());
    await client.send(new Uint8Array(2_049));
    const { reason, datagrams } = await server.event("dropped");
    assertEquals([reason, datagrams], ["longer than max-datagram", 1]);
  });

  Deno.test(`${name} over UDP: sessions do not delay a stopping server, and nothing of them is left`, async () => {
    await using stack = new AsyncDisposableStack();
    const server = await overUdp(stack);
    const clients = Array.from({ length: 50 }, () => stack.use(new UdpClient(server.port())));
    for (const client of clients) await client.send("hello");
    await server.event("opened");
    await server.server.stop({ grace: 60_000 });
    await server.event("stopped");
    assertEquals([...server.server.connections()], []);
    const count = (name: string) => server.events.filter(({ event }) => event === name).length;
    assertEquals(count("closed"), count("opened"));
  });

  Deno.test(`${name} over UDP: a closed session is followed by another one`, async () => {
    await using stack = new AsyncDisposableStack();
    const server = await overUdp(stack);
    using client = new UdpClient(server.port());
    await client.send("hello");
    const first = await server.event("opened");
    for (const { connection } of server.server.connections()) {
      connection.close("closed by the operator");
    }
    assertEquals((await server.event("closed")).reason, "closed by the operator");
    await client.send("again");
    await server.event("opened", ({ connection }) => connection !== first.connection);
  });
}

/** Opens the service, with the options that it needs. */
async function open(
  name: string,
  stack: AsyncDisposableStack,
  scheme = name,
): Promise<TestServer> {
  const query = await QUERIES[name]?.(stack, scheme.slice(name.length)) ?? "";
  return stack.use(await TestServer.open(`${scheme}://:0${query}`));
}

/** The options that services need. */
const QUERIES: Record<string, (stack: AsyncDisposableStack, over: string) => Promise<string>> = {
  exec: () => Promise.resolve("?run=cat"),
  async forward(stack, over) {
    const upstream = stack.use(await TestServer.open(`echo${over}://:0`));
    return `?to=127.0.0.1:${upstream.port()}`;
  },
  async record(stack) {
    const folder = await Deno.makeTempDir();
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    return `?dir=${folder}`;
  },
};

/** Reads to the end, or this many bytes: chargen has no end. */
async function readSome(conn: Deno.Conn, enough: number): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let total = 0; total < enough;) {
    const n = await conn.read(buffer);
    if (n === null) return;
    total += n;
  }
}

function firstOf(server: TestServer): number | undefined {
  const opened = server.events.find(({ event }) => event === "opened");
  return opened && "connection" in opened ? opened.connection : undefined;
}
