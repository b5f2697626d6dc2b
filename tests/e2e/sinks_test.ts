/** Output of libraries, and signals before the config is read. */
import { assert, assertEquals } from "@std/assert";
import { readText, send } from "../harness/bytes.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

/** Fails unless the echo outlet at this path answers. */
async function answers(path: string): Promise<void> {
  using client = await Deno.connect({ transport: "unix", path });
  await send(client, "are you there?");
  await client.closeWrite();
  assertEquals(await readText(client), "are you there?");
}

/** Resolves once a socket listens at this path. */
async function isOpen(path: string): Promise<void> {
  for (;;) {
    const conn = await Deno.connect({ transport: "unix", path }).catch(() => undefined);
    if (conn) return conn.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("output of a library becomes events instead of text on stdout, and its rate is limited", async () => {
  using bus = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using folder = await TemporaryDirectory.make();
  const socket = `${folder.path}/echo`;
  const url = `nats://127.0.0.1:${bus.addr.port}`;
  await using server = new Program(
    outlet(
      "server",
      `echo+unix://${socket}`,
      "chat://:0?room=x",
      "--bus",
      url,
      "--log-format",
      "json",
    ),
  );
  const garbage = "this is no \u001b[31mNATS\r\n".repeat(50);
  using conn = await bus.accept();
  await send(conn, `INFO {"server_id":"x","version":"2.10.0","max_payload":1048576,"proto":1}\r\n`);
  const buffer = new Uint8Array(4096);
  while (!new TextDecoder().decode(buffer).includes("PING")) await conn.read(buffer);
  await send(conn, `PONG\r\n${garbage}`);
  await server.logs(/"event":"library-output"/);
  await isOpen(socket);
  await answers(socket);
  server.signal("SIGTERM");
  const { code, stdout, stderr } = await server.outcome();
  assertEquals([code, stdout], [0, ""]);
  const printed = stderr.trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ event }) => event === "library-output");
  assert(printed.length > 0 && printed.length <= 30);
  // deno-lint-ignore no-control-regex
  assertEquals(printed.filter(({ text }) => /[\u0000-\u001f]/.test(text)), []);
});

testWith(
  ["mkfifo"],
  "SIGHUP never ends a server with a config, not even before the config is read",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const config = `${folder.path}/outlet.json`;
    await run(["mkfifo", config]);
    await using server = new Program(outlet("server", "--config", config));
    // Opening the FIFO waits for the server to open it; the server reads it until it is closed.
    const pipe = await Deno.open(config, { write: true });
    server.signal("SIGHUP");
    const text = JSON.stringify({ outlets: [{ service: "echo", listen: "127.0.0.1:0" }] });
    await pipe.write(new TextEncoder().encode(text));
    pipe.close();
    await server.logs(/ready/);
    await server.logs(/rejected +the config: .*it is not a regular file/);
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
  },
);
