/** `--workers` as a process. */
import { assertEquals, assertMatch } from "@std/assert";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { outlet, Program, ROOT, run } from "../harness/program.ts";

Deno.test("a server with --workers serves, drains and ends as one without", async () => {
  await using server = new Program(
    outlet("server", "echo://:0", "--workers", "2", "--log-format", "json"),
  );
  const [, port] = await server.logs(/"event":"listening".*"address":"[^"]*:(\d+)"/);
  await server.logs(/"event":"ready"/);
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => Deno.connect({ hostname: "127.0.0.1", port: Number(port) })),
  );
  for (const client of clients) {
    await send(client, "hello\n");
    await readUntil(client, /hello\n/);
  }
  server.signal("SIGTERM");
  await server.logs(/"event":"draining"/);
  for (const client of clients) {
    await send(client, "bye\n");
    await client.closeWrite();
    assertEquals(await readText(client), "bye\n");
    client.close();
  }
  const { code, stderr } = await server.outcome();
  assertEquals(code, 0);
  const events = stderr.trim().split("\n").map((line) => JSON.parse(line).event);
  const count = (name: string) => events.filter((event) => event === name).length;
  assertEquals(
    ["listening", "ready", "opened", "closed", "draining", "stopped"].map(count),
    [1, 1, 20, 20, 1, 1],
  );
});

Deno.test({
  name: "SIGUSR2 restarts every worker, one after the other",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = new Program(outlet("server", "echo://:0", "--workers", "2"));
    const [, port] = await server.logs(/listening +echo on 127\.0\.0\.1:(\d+)/);
    await server.logs(/ready/);
    const isAnswered = async () => {
      using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      await send(client, "hello\n");
      await readUntil(client, /hello\n/);
    };
    await isAnswered();
    server.signal("SIGUSR2");
    await server.logs(
      /0: all workers are being restarted[^]*1: all workers are being restarted/,
    );
    await isAnswered();
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
  },
});

Deno.test({
  name: "SIGUSR2 without workers restarts nothing, and is logged",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = new Program(outlet("server", "echo://:0"));
    await server.logs(/ready/);
    server.signal("SIGUSR2");
    await server.logs(/restarting the workers.*there are no workers/);
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
  },
});

Deno.test("where no worker can load, the start is given up with one line, and 1", async () => {
  await using folder = await TemporaryDirectory.make();
  // The module that each worker needs, and the supervisor does not, is one that fails.
  const failing = `${folder.path}/worker_thread.ts`;
  await Deno.writeTextFile(
    failing,
    'export class WorkerThread {} throw new Error("the disk is broken");',
  );
  const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const map = `${folder.path}/imports.json`;
  const host = new URL("../../src/workers/worker_thread.ts", import.meta.url).href;
  await Deno.writeTextFile(map, JSON.stringify({ imports: { ...imports, [host]: failing } }));
  const args = ["run", "-A", "--quiet", "--import-map", map, `${ROOT}main.ts`];
  // Deno prints what ends a thread, too.
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "server", "echo://:0", "--workers", "2"],
    env: { NO_COLOR: "1" },
  }).output();
  const own = new TextDecoder().decode(stderr).split("\n").filter((line) => /^outlet: /.test(line));
  assertEquals([code, own], [1, [
    "outlet: no worker can start: the last 10 ended before they could serve: " +
    "Uncaught (in promise) Error: the disk is broken",
  ]]);
});

Deno.test("--workers takes a number or auto, and nothing else", async () => {
  const { code, stderr } = await run(outlet("server", "echo://:0", "--workers", "0"));
  assertEquals(code, 2);
  assertMatch(stderr, /^outlet: --workers "0": expected a whole number, 1 to 64, or auto\n$/);
});
