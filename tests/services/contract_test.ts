/** Requirements for every service. A new service is tested by being registered. */
import { assertEquals } from "@std/assert";
import { SERVICES } from "../../src/services/registry.ts";
import { bytesOf, send } from "../harness/bytes.ts";
import { TestServer } from "../harness/server.ts";

for (const { name } of SERVICES.values()) {
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

/** Opens the service, with the options that it needs. */
async function open(name: string, stage: AsyncDisposableStack): Promise<TestServer> {
  const specs: Record<string, () => Promise<string>> = {
    exec: () => Promise.resolve("exec://:0?run=cat"),
    stdio: () => Promise.resolve("stdio://:0?keep"),
    async forward() {
      const upstream = stage.use(await TestServer.open("echo://:0"));
      return `forward://:0?to=127.0.0.1:${upstream.port()}`;
    },
    async record() {
      const folder = await Deno.makeTempDir();
      stage.defer(() => Deno.remove(folder, { recursive: true }));
      return `record://:0?dir=${folder}`;
    },
  };
  return stage.use(await TestServer.open(await specs[name]?.() ?? `${name}://:0`));
}

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
