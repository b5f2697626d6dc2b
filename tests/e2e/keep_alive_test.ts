/** When keep-alive probes are sent, as the kernel has it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readUntil, send } from "../harness/bytes.ts";
import { eventually } from "../harness/eventually.ts";
import { outlet, Program, ROOT, run } from "../harness/program.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";

/** The longest time before the next probe over connections of this local or remote port, in seconds. */
async function nextProbe(end: "sport" | "dport", port: number | string): Promise<number> {
  const { stdout } = await run(["ss", "-Htno", "state", "established", `${end} = :${port}`]);
  const times = [...stdout.matchAll(/timer:\(keepalive,([\d.]+)(min|sec)/g)]
    .map(([, time, unit]) => Number(time) * (unit === "min" ? 60 : 1));
  return Math.max(0, ...times);
}

testWith(["ss"], "accepted and dialled sockets have the idle time that was asked for", async () => {
  await using upstream = await TestServer.open("echo://:0");
  await using server = await TestServer.open(
    `forward://:0?keep-alive-idle=300s&to=127.0.0.1:${upstream.port()}&to-keep-alive-idle=100s`,
  );
  using client = await server.connect();
  await send(client, "hello\n");
  await readUntil(client, /\n/);
  const [accepted, dialled] = [
    await nextProbe("sport", server.port()),
    await nextProbe("dport", upstream.port()),
  ];
  assert(accepted > 100 && accepted <= 300, `${accepted}`);
  assert(dialled > 0 && dialled <= 100, `${dialled}`);
});

testWith(
  ["ss"],
  "a reload changes the idle time of connections to come, also with workers",
  async () => {
    for (const workers of [[], ["--workers", "2"]]) {
      await using folder = await TemporaryDirectory.make();
      const config = `${folder.path}/outlet.json`;
      const write = (more: object) =>
        Deno.writeTextFile(
          config,
          JSON.stringify({ outlets: [{ service: "echo", listen: ":0", ...more }] }),
        );
      await write({ "keep-alive-idle": "100s" });
      await using server = new Program(outlet("server", "--config", config, ...workers));
      const [, port] = await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/);
      const idleTime = async () => {
        using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
        await send(client, "hello\n");
        await readUntil(client, /\n/);
        return await nextProbe("sport", port!);
      };
      const before = await idleTime();
      assert(before > 0 && before <= 100, `${before}`);
      await write({});
      server.signal("SIGHUP");
      await server.logs(/reloaded/);
      await eventually(async () => await idleTime() > 3_600, "the system's idle time");
    }
  },
);

testWith(["ss"], "the client has it, too", async () => {
  await using server = await TestServer.open("echo://:0");
  const address = `127.0.0.1:${server.port()}`;
  await using client = new Program(outlet("client", "--keep-alive-idle", "100s", address));
  await client.type("hello\n");
  await client.prints(/hello/);
  const time = await nextProbe("dport", server.port());
  assert(time > 0 && time <= 100, `${time}`);
});

testWith(["strace"], "interval and count are set", async () => {
  await using folder = await TemporaryDirectory.make();
  const trace = `${folder.path}/strace`;
  await using upstream = await TestServer.open("echo://:0");
  const query = "keep-alive-idle=30s&keep-alive-interval=10s&keep-alive-count=3" +
    `&to=127.0.0.1:${upstream.port()}&to-keep-alive-interval=20s&to-keep-alive-count=4`;
  await using server = new Program([
    ...["strace", "-D", "-f", "-qq", "-e", "trace=setsockopt", "-o", trace] as const,
    ...outlet("server", `forward://:0?${query}`),
  ]);
  const [, port] = await server.logs(/listening forward on 127\.0\.0\.1:(\d+)/);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await send(client, "hello\n");
  await readUntil(client, /\n/);
  client.close();
  server.signal("SIGTERM");
  await server.outcome();
  const text = await Deno.readTextFile(trace);
  for (const set of ["TCP_KEEPIDLE, [30]", "TCP_KEEPINTVL, [10]", "TCP_KEEPCNT, [3]"]) {
    assertEquals(text.includes(set), true, set);
  }
  for (const set of ["TCP_KEEPINTVL, [20]", "TCP_KEEPCNT, [4]"]) {
    assertEquals(text.includes(set), true, set);
  }
});

Deno.test("times of keep-alive that cannot be had are refused in words", async () => {
  const refused = async (words: readonly string[], reason: RegExp) => {
    const { code, stderr } = await run(outlet(...words));
    assertEquals(code, 2, stderr);
    assertMatch(stderr, reason);
  };
  const server = (spec: string) => ["server", "--check", spec];
  await refused(
    server("echo://:0?keep-alive-idle=500ms"),
    /expected whole seconds, 1s to 32767s\n$/,
  );
  await refused(server("echo://:0?keep-alive-count=128"), /expected a whole number, 1 to 127\n$/);
  await refused(
    server("echo://:0?keep-alive=no&keep-alive-idle=5s"),
    /keep-alive-idle needs keep-alive\n$/,
  );
  await refused(server("echo+unix:///tmp/x?keep-alive-idle=5s"), /keep-alive-idle is only for TCP/);
  await refused(
    server("forward://:0?to=unix:/tmp/x&to-keep-alive-idle=5s"),
    /to-keep-alive-idle needs an upstream with an IP address\n$/,
  );
  await refused(
    ["client", "--keep-alive-count", "3", "unix:/tmp/x"],
    /^outlet: --keep-alive-count is only for TCP, not for unix:\/tmp\/x\n$/,
  );
  configOf(["echo://:1", "--keep-alive-idle", "30"]);
});

Deno.test("without foreign functions, times of keep-alive are refused", async () => {
  const program = ["run", "-A", "--deny-ffi", "--quiet", `${ROOT}main.ts`];
  const with_ = async (...words: string[]) =>
    await run([Deno.execPath(), ...program, ...words] as [string, ...string[]]);
  const check = await with_("server", "--check", "echo://:0?keep-alive-idle=5s");
  assertEquals(check.code, 2);
  assertMatch(check.stderr, /keep-alive-idle needs Linux and foreign functions/);
  const forward = await with_("server", "--check", "forward://:0?to=a:1&to-keep-alive-count=5");
  assertMatch(forward.stderr, /: to-keep-alive-count needs Linux and foreign functions/);
  const client = await with_("client", "--keep-alive-idle", "5s", "127.0.0.1:1");
  assertEquals(client.code, 2);
  assertMatch(client.stderr, /^outlet: --keep-alive-idle needs Linux and foreign functions/);
});
