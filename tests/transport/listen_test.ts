import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runTestClient } from "../harness/client.ts";
import { run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** A directory for sockets, removed when it is disposed. */
async function socketFolder(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir();
  return {
    path: `${folder}/echo.sock`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

testWith(["socat"], "socat and outlet connect to an outlet at a path", async () => {
  await using folder = await socketFolder();
  await using _server = await TestServer.open(`echo+unix://${folder.path}`);
  const { stdout } = await run(["socat", "-", `UNIX-CONNECT:${folder.path}`], { stdin: "one\n" });
  assertEquals(stdout, "one\n");
  assertEquals((await runTestClient([`unix:${folder.path}`], "two\n")).received, "two\n");
});

testWith(["socat"], "a client connects to socat at a path", async () => {
  await using folder = await socketFolder();
  const { Program } = await import("../harness/program.ts");
  await using _socat = new Program(["socat", `UNIX-LISTEN:${folder.path},fork`, "EXEC:cat"]);
  const args = [`unix:${folder.path}`, "--retry", "50", "--retry-delay", "20ms"];
  assertEquals((await runTestClient(args, "hello\n")).received, "hello\n");
});

Deno.test("a socket file has the configured mode, and is removed when the outlet stops", async () => {
  await using folder = await socketFolder();
  const before = Deno.umask();
  {
    await using _server = await TestServer.open(`echo+unix://${folder.path}?mode=0620`);
    const { mode, isSocket } = await Deno.lstat(folder.path);
    assertEquals([isSocket, mode! & 0o777], [true, 0o620]);
  }
  assertEquals(Deno.umask(), before);
  await assertRejects(() => Deno.lstat(folder.path), Deno.errors.NotFound);
});

Deno.test("a stale socket file is replaced, but not a live one or another kind of file", async () => {
  await using folder = await socketFolder();
  const stale = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `Deno.listen({transport:"unix",path:${JSON.stringify(folder.path)}});Deno.exit()`,
    ],
  });
  assertEquals((await stale.output()).success, true);
  await Deno.lstat(folder.path);
  await using server = await TestServer.open(`echo+unix://${folder.path}`);
  const duplicate = await TestServer.open(`echo+unix://${folder.path}`).catch((error) => error);
  assertMatch(duplicate.message, /cannot listen on unix:.*: the file exists/);
  assertEquals(
    (await runTestClient([`unix:${folder.path}`], "still here\n")).received,
    "still here\n",
  );
  await server.server.stop({ grace: 0 });
  await Deno.writeTextFile(folder.path, "precious");
  await assertRejects(
    () => TestServer.open(`echo+unix://${folder.path}`),
    Error,
    "not a stale socket",
  );
  assertEquals(await Deno.readTextFile(folder.path), "precious");
});

Deno.test("connecting to a path without a listener reports the reason", async () => {
  await using folder = await socketFolder();
  assertMatch((await runTestClient([`unix:${folder.path}`])).error, /no such file/);
});

Deno.test("each connection is captured in a file of its own, up to the limit", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using server = await TestServer.open(`echo://:0?capture=${folder}/new&capture-limit=1k`);
    const address = ["127.0.0.1", String(server.port())];
    await runTestClient(address, "hello");
    await runTestClient(address, "x".repeat(100_000));
    await server.event(
      "closed",
      ({ connection, bytesIn }) => connection > 0 && bytesIn === 100_000,
    );
  }
  const dumps = await Promise.all(
    (await Array.fromAsync(Deno.readDir(`${folder}/new`))).map(({ name }) =>
      Deno.readTextFile(`${folder}/new/${name}`)
    ),
  );
  const [short = "", long = ""] = dumps.toSorted((a, b) => a.length - b.length);
  assertMatch(short, /^< .*Z 00000000 {2}68 65 6c 6c 6f +\|hello\|\n> .*\|hello\|\n$/);
  assertEquals(dumps.length, 2);
  assertEquals(long.length <= 1024, true);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a capture that cannot be written is reported, and the client is still served", async () => {
  await using server = await TestServer.open("echo://:0?capture=/dev/null/x");
  assertEquals((await runTestClient(["127.0.0.1", String(server.port())], "hi")).received, "hi");
  assertMatch((await server.event("failed")).reason, /cannot capture to \/dev\/null\/x/);
});
