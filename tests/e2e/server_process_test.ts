/** `outlet server` as a process: signals, exit codes and the log. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { isClosed } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";

/** A server process whose log is JSON, and the port of its first outlet. */
async function startServer(...args: string[]): Promise<{ server: Program; port: number }> {
  const server = new Program(outlet("server", ...args, "--log-format", "json"));
  const [, port] = await server.logs(/"event":"listening".*"address":"[^"]*:(\d+)"/);
  return { server, port: Number(port) };
}

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** The events in a log of JSON lines. */
function eventsIn(log: string): Record<string, unknown>[] {
  return log.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("the log has a connection's events as one JSON object per line", async () => {
  const { server, port } = await startServer("echo://:0");
  await using _ = server;
  using client = await connect(port);
  await send(client, "hello");
  await client.closeWrite();
  assertEquals(await readText(client), "hello");
  await server.logs(/"event":"closed"/);
  server.signal("SIGTERM");
  const { code, stderr, stdout } = await server.outcome();
  assertEquals([code, stdout], [0, ""]);
  const events = eventsIn(stderr).filter(({ outlet }) => outlet === "echo");
  assertEquals(events.map(({ event }) => event), ["listening", "opened", "closed", "stopped"]);
  const { time, duration_ms, peer, connection, ...closed } = events[2]!;
  assertMatch(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertMatch(String(peer), /^127\.0\.0\.1:\d+$/);
  assertEquals([typeof duration_ms, typeof connection], ["number", "number"]);
  assertEquals(closed, {
    level: "info",
    event: "closed",
    outlet: "echo",
    outlet_id: 1,
    address: `127.0.0.1:${port}`,
    bytes_in: 5,
    bytes_out: 5,
    reason: "peer closed",
  });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} lets clients finish, and the exit code is 0`, async () => {
    const { server, port } = await startServer("echo://:0");
    await using _ = server;
    using client = await connect(port);
    await send(client, "one\n");
    await readUntil(client, /one\n/);
    server.signal(signal);
    await drains(server, port);
    await send(client, "two\n");
    await readUntil(client, /two\n/);
    await client.closeWrite();
    assertEquals((await server.outcome()).code, 0);
  });
}

Deno.test("a client that does not finish is aborted after --drain-timeout and counted, and the exit code is 0", async () => {
  const { server, port } = await startServer("echo://:0", "--drain-timeout", "100ms");
  await using _ = server;
  using client = await connect(port);
  await server.logs(/"event":"opened"/);
  server.signal("SIGINT");
  assertEquals(await readText(client), "");
  const { code, stderr } = await server.outcome();
  assertEquals(code, 0);
  assertEquals(eventsIn(stderr).at(-1)?.aborted, 1);
});

Deno.test("a second signal ends the server at once", async () => {
  const { server, port } = await startServer("echo://:0", "--drain-timeout", "1h");
  await using _ = server;
  using _client = await connect(port);
  await server.logs(/"event":"opened"/);
  server.signal("SIGTERM");
  await drains(server, port);
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).code, 128 + 15);
});

Deno.test("without a terminal, events are lines of text without colour", async () => {
  await using server = new Program(outlet("server", "echo://:0"), { env: { NO_COLOR: "" } });
  await server.logs(/^\d\d:\d\d:\d\d listening echo on 127\.0\.0\.1:\d+\n/);
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).code, 0);
});

Deno.test("--log-level warning leaves out orderly events", async () => {
  await using server = new Program(
    outlet("server", "echo://:0", "--log-level", "warning", "--drain-timeout", "0"),
  );
  // Nothing is logged that could be waited for, so the kernel's socket table is polled.
  {
    using client = await connectTo(server.pid);
    await send(client, "hello\n");
    await readUntil(client, /hello\n/);
    server.signal("SIGTERM");
    assertEquals(await readText(client), "");
  }
  const { stderr } = await server.outcome();
  assertMatch(stderr, /^\S+ stopped {3}echo on [^\n]*, 1 connection aborted\n$/);
});

/**
 * Wrong usage ends with 2, an error of the system with 1; both with one line and without a stack
 * trace.
 */
const INVALID_ARGUMENTS:
  readonly (readonly [args: readonly string[], code: number, line: RegExp])[] = [
    [["sevrer"], 2, /^outlet: unknown mode "sevrer": did you mean "server"\?\n$/],
    [["server", "--prot", "5"], 2, /^outlet: unknown option "--prot": did you mean "--port"\?\n$/],
    [["server", "echo://:80x"], 2, /^outlet: .*port "80x": expected a port, 0 to 65535\n$/],
    [["client", "127.0.0.1", "0x50"], 2, /^outlet: .*port "0x50": expected a port/],
    [
      ["server", "echo://192.0.2.1:0"],
      1,
      /^outlet: echo at 192\.0\.2\.1:0: address not available on this machine\n$/,
    ],
    [
      ["server", "echo://no-such-host.invalid:0"],
      1,
      /^outlet: echo at no-such-host\.invalid:0: host name not found: .*\n$/,
    ],
    [
      ["client", "no-such-host.invalid", "80"],
      1,
      /^outlet: cannot connect to .*: host name not found: .*\n$/,
    ],
  ];

for (const [args, code, line] of INVALID_ARGUMENTS) {
  Deno.test(`"outlet ${args.join(" ")}" ends with ${code} and one line that has the reason`, async () => {
    const outcome = await run(outlet(...args));
    assertMatch(outcome.stderr, line);
    assertEquals([outcome.code, outcome.stdout], [code, ""]);
    assertEquals(outcome.stderr.split("\n").length, 2);
  });
}

Deno.test("a port in use is reported with what to do about it", async () => {
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = occupant.addr;
  const { code, stderr } = await run(outlet("server", "chat://:0", `echo://:${port}`));
  assertEquals(code, 1);
  assert(stderr.startsWith(`outlet: cannot listen on 127.0.0.1:${port}: address already in use; `));
});

Deno.test("help and version are printed on stdout", async () => {
  const help = await run(outlet("--help"));
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /outlet server/);
  const version = await run(outlet("--version"));
  assertMatch(version.stdout, /^outlet \d+\.\d+\.\d+ /);
});

/** Resolves once the server drains, and accepts no more connections. */
async function drains(server: Program, port: number): Promise<void> {
  await server.logs(/"event":"draining"/);
  await isClosed(port);
}

/**
 * Connects to the port on which a process listens, once it is stable: before it opens outlets, the
 * process briefly binds their addresses.
 */
async function connectTo(pid: number): Promise<Deno.TcpConn> {
  for (;;) {
    const { stdout } = await run(["ss", "-Hltnp"]);
    const line = stdout.split("\n").find((line) => line.includes(`pid=${pid},`));
    const port = line && /:(\d+)\s/.exec(line)?.[1];
    try {
      if (port) return await connect(Number(port));
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
  }
}
