/** `?once`: one client is served, then the server ends. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { SERVICES } from "../../src/services/registry.ts";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { TestConsole } from "../harness/console.ts";
import { eventually } from "../harness/eventually.ts";
import { outlet, Program, type ProgramOptions, run } from "../harness/program.ts";
import { ResettingClient } from "../harness/resetting_client.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { testWith } from "../harness/tools.ts";

/** The SPECs of services that need options. */
const SPECS: Readonly<Record<string, string>> = {
  exec: "exec://:0?run=cat",
  forward: "forward://:0?to=ECHO",
  record: "record://:0?file=FOLDER/log",
};

for (const name of SERVICES.keys()) {
  Deno.test(`${name} with once serves one client, refuses others, and is done`, async () => {
    await using folder = await TemporaryDirectory.make();
    await using upstream = await TestServer.open("echo://:0");
    const spec = (SPECS[name] ?? `${name}://:0`).replace("FOLDER", folder.path)
      .replace("ECHO", `127.0.0.1:${upstream.port()}`);
    await using server = await TestServer.open(spec, "--once");
    const client = await server.connect();
    await server.event("opened");
    // The listening socket is closed, or about to be.
    await eventually(async () => {
      try {
        using second = await server.connect();
        await second.read(new Uint8Array(1));
        return false;
      } catch (error) {
        return error instanceof Deno.errors.ConnectionRefused;
      }
    });
    client.close();
    await server.event("closed");
    await eventually(() => server.server.done.aborted);
    assertEquals(server.events.filter(({ event }) => event === "opened").length, 1);
  });
}

/** A server that ends with its first client. */
async function listening(
  spec: string,
  ...more: string[]
): Promise<{ server: Program; port: string }> {
  return await started(spec, {}, ...more);
}

async function started(
  spec: string,
  options: ProgramOptions,
  ...more: string[]
): Promise<{ server: Program; port: string }> {
  const server = new Program(outlet("server", spec, ...more), options);
  const [, port] = await server.logs(/listening \w+ on 127\.0\.0\.1:(\d+)/);
  await server.logs(/ready/);
  return { server, port: port! };
}

for (
  const [script, code] of [["exit 0", 0], ["cat; exit 7", 7], ["kill -9 $$", 137]] as const
) {
  Deno.test(`the exit code of a server with once is that of its program: sh -c '${script}'`, async () => {
    const { server, port } = await listening("exec://127.0.0.1:0?once", "--", "sh", "-c", script);
    await using _ = server;
    await run(outlet("client", "127.0.0.1", port), { stdin: "hello\n" });
    assertEquals((await server.outcome()).code, code);
  });
}

Deno.test("a client that resets its connection gives a server with once the exit code 1", async () => {
  const { server, port } = await listening("echo://127.0.0.1:0?once");
  await using _ = server;
  {
    using _rude = new ResettingClient(Number(port));
    await server.logs(/opened/);
  }
  const { code, stderr } = await server.outcome();
  assertEquals(code, 1);
  assertMatch(stderr, /closed .*peer reset/);
});

const CLIENTS: Readonly<Record<string, (port: string) => [string, ...string[]]>> = {
  ncat: (port) => ["ncat", "127.0.0.1", port],
  socat: (port) => ["socat", "-t", "10", "-", `TCP:127.0.0.1:${port}`],
  busybox: (port) => ["busybox", "nc", "127.0.0.1", port],
  nc: (port) => ["nc", "-N", "127.0.0.1", port],
};

for (const [tool, command] of Object.entries(CLIENTS)) {
  testWith([tool], `a server with once is done after ${tool}`, async () => {
    const { server, port } = await listening("echo://127.0.0.1:0?once");
    await using _ = server;
    const { stdout } = await run(command(port), { stdin: "hello\n" });
    assertEquals(stdout, "hello\n");
    assertEquals((await server.outcome()).code, 0);
  });
}

testWith(["tcpclient"], "a server with once is done after tcpclient", async () => {
  const { server, port } = await listening("qotd://127.0.0.1:0?once");
  await using _ = server;
  const { stdout } = await run(["tcpclient", "-RHl0", "127.0.0.1", port, "sh", "-c", "cat <&6"]);
  assertMatch(stdout, /\.\r\n$/);
  assertEquals((await server.outcome()).code, 0);
});

testWith(
  ["openssl"],
  "with once, later clients wait until the handshake of the first has failed",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    const spec = `stdio://127.0.0.1:0?tls&tls-cert=${cert}&tls-key=${key}`;
    const { server, port } = await started(spec, { stdin: "greeting\n" });
    await using _ = server;
    const silent = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const client = run(outlet("client", `tls://localhost:${port}`, "--tls-ca", authority.cert), {
      stdin: "from the second\n",
    });
    silent.close();
    assertEquals((await client).stdout, "greeting\n");
    const { code, stdout, stderr } = await server.outcome();
    assertEquals([code, stdout], [0, "from the second\n"], stderr);
    assertEquals(stderr.match(/opened/g)?.length, 1);
  },
);

Deno.test("with once on a Unix socket, its file is gone when the server has ended", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/s`;
  await using server = new Program(outlet("server", `echo+unix://${path}?once`));
  await server.logs(/ready/);
  const { stdout } = await run(outlet("client", `unix:${path}`), { stdin: "hello\n" });
  assertEquals(stdout, "hello\n");
  assertEquals((await server.outcome()).code, 0);
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
});

Deno.test("the client of an outlet with once ends the other outlets, too", async () => {
  await using server = new Program(
    outlet("server", "echo://127.0.0.1:0", "qotd://127.0.0.1:0?once"),
  );
  const [, port] = await server.logs(/listening qotd on 127\.0\.0\.1:(\d+)/);
  await server.logs(/ready/);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  assertMatch(await readText(client), /\.\r\n$/);
  client.close();
  const { code, stderr } = await server.outcome();
  assertEquals(code, 0);
  assertMatch(stderr, /stopped +echo/);
});

Deno.test("keep-alive times change while an outlet with once serves its client", async () => {
  await using server = await TestServer.open("echo://:0?once");
  using client = await server.connect();
  await server.event("opened");
  const isClosed = () => server.connect().then((late) => late.close(), () => true);
  await eventually(async () => await isClosed() ?? false, "closing the listening socket");
  await server.server.change(configOf(["echo://:0?once&keep-alive-idle=100s"]));
  await send(client, "hello\n");
  await readUntil(client, /hello\n/);
  assertEquals(server.events.filter(({ event }) => event === "failed"), []);
});

Deno.test("once is refused at run time, and with workers", async () => {
  await using server = await TestServer.open("echo://:0");
  const once = configOf(["echo://:0?once"]);
  await assertRejects(
    () => server.server.open(once.outlets[0]!),
    Error,
    "once is for outlets that the server is started with",
  );
  await assertRejects(
    () => server.server.change(once),
    Error,
    "once is for outlets that the server is started with",
  );
  using client = await server.connect();
  await send(client, "still here\n");
  await readUntil(client, /still here\n/);
  const { code, stderr } = await run(outlet("server", "echo://:0?once", "--workers", "2"));
  assertEquals(code, 2);
  assert(stderr.includes("workers and once exclude each other"), stderr);
});

Deno.test("the console refuses to open an outlet with once", async () => {
  await using console = await TestConsole.open("echo://:0");
  const answer = await console.ask("/api/v1/outlets", {
    method: "POST",
    body: JSON.stringify({ service: "echo", port: 0, options: { once: "true" } }),
    headers: { "content-type": "application/json" },
  });
  assertEquals([answer.status, (await answer.json()).field], [409, "once"]);
});

Deno.test("a library's server with once stops by itself", async () => {
  const { open } = await import("../../src/library/server.ts");
  await using server = await open("echo://:0?once");
  const events = server.events("stopped");
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.outlets[0].port });
  await send(client, "hello\n");
  await client.closeWrite();
  assertEquals(await readText(client), "hello\n");
  client.close();
  assertEquals((await events.next()).value?.event, "stopped");
});
