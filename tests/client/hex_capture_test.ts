import { assert, assertEquals, assertMatch } from "@std/assert";
import { progressLine } from "../../src/terminal/progress.ts";
import { hexDump } from "../../src/connection/hex_dump.ts";
import { runTestClient } from "../harness/client.ts";
import { outlet, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";

Deno.test("-o writes received bytes unchanged, and -x both directions with times", async () => {
  await using server = await TestServer.open("echo://:0");
  const folder = await Deno.makeTempDir();
  const files = { raw: `${folder}/raw`, dump: `${folder}/dump` };
  const args = ["127.0.0.1", String(server.port()), "-o", files.raw, "-x", files.dump];
  assertEquals((await runTestClient(args, "hi\n")).received, "hi\n");
  assertEquals(await Deno.readTextFile(files.raw), "hi\n");
  assertMatch(
    await Deno.readTextFile(files.dump),
    /^> \d{4}-\d\d-\d\dT[\d:.]+Z 00000000 {2}68 69 0a +\|hi\.\|\n< .* 00000000 {2}68 69 0a +\|hi\.\|\n$/,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("-x - prints the dump", async () => {
  await using server = await TestServer.open("daytime://:0");
  const { printed } = await runTestClient(["127.0.0.1", String(server.port()), "-x", "-"]);
  assertMatch(printed, /^< .* 00000010 /m);
});

Deno.test("a failed write ends the connection with an error that names the file", async () => {
  await using server = await TestServer.open("echo://:0");
  const address = ["127.0.0.1", String(server.port())];
  for (const flag of ["-o", "-x"]) {
    const { error } = await runTestClient([...address, flag, "/dev/full"], "hi\n");
    assertMatch(error, /cannot write to \/dev\/full: no space left on device/);
  }
});

Deno.test("a file that cannot be opened is wrong usage, and no connection is made", async () => {
  await using server = await TestServer.open("echo://:0");
  const args = ["client", "127.0.0.1", String(server.port())];
  for (
    const [flags, reason] of [
      [
        ["-o", "/nowhere/x"],
        /^outlet: --output \/nowhere\/x: .*: no such file or directory\n$/,
      ],
      [["-x", "/tmp"], /^outlet: --hex-dump \/tmp: .*: it is a directory\n$/],
      [
        ["--script", "/nowhere/x"],
        /^outlet: --script \/nowhere\/x: .*: no such file or directory\n$/,
      ],
      [["--script", "/tmp"], /^outlet: --script \/tmp: .*: it is a directory\n$/],
    ] as const
  ) {
    const { code, stderr } = await run(outlet(...args, ...flags));
    assertMatch(stderr, reason);
    assertEquals(code, 2);
  }
  assertEquals(server.events.some(({ event }) => event === "opened"), false);
});

Deno.test("a failed connect creates no file and truncates none", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/old`, "kept");
  const files = ["-o", `${folder}/new`, "-x", `${folder}/old`];
  assertMatch((await runTestClient(["127.0.0.1", "9", ...files])).error, /refused/);
  const unopened = await runTestClient([
    "127.0.0.1",
    "9",
    "-o",
    `${folder}/new`,
    "-x",
    "/nowhere/x",
  ]);
  assertMatch(unopened.error, /no such file or directory/);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["old"]);
  assertEquals(await Deno.readTextFile(`${folder}/old`), "kept");
  await using server = await TestServer.open("daytime://:0");
  await runTestClient(["127.0.0.1", String(server.port()), "-o", `${folder}/old`]);
  assertMatch(await Deno.readTextFile(`${folder}/old`), /^\w.* GMT\r\n$/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("offsets count each direction separately", () => {
  const at = new Date(0);
  const dump = hexDump(new Uint8Array(17).fill(65), { direction: "<", at, offset: 32 });
  const [first, second] = dump.split("\n");
  assertMatch(first!, /^< 1970-01-01T00:00:00\.000Z 00000020 .*\|A{16}\|$/);
  assertMatch(second!, / 00000030 {2}41 +\|A\|$/);
});

Deno.test("--json prints the course of the connection as one object, and -v as lines", async () => {
  await using server = await TestServer.open("daytime://:0");
  const args = ["localhost", String(server.port()), "--json"];
  const { logged } = await runTestClient(args);
  const found = JSON.parse(logged);
  assertEquals(found.target, `localhost:${server.port()}`);
  assert(found.resolved.hosts.length > 0 && found.first_byte_ms > 0 && found.duration_ms > 0);
  assertEquals(found.attempts.at(-1).connected, true);
  assertEquals([found.bytes_in, found.bytes_out, found.ended], [31, 0, "closed by the peer"]);
  const failed = JSON.parse((await runTestClient(["127.0.0.1", "9", "--json"])).logged);
  assertMatch(failed.error, /refused/);
});

Deno.test("progress shows how much, how fast, and the time left where the size is known", () => {
  const transfer = { bytesOut: 5 * 1024 ** 2, bytesIn: 0 };
  assertEquals(
    progressLine(transfer, { rate: 1024 ** 2, size: 10 * 1024 ** 2 }),
    "5.00 MiB sent (50 %), 0 B received, 1.00 MiB/s, 5.00 s left",
  );
  assertEquals(
    progressLine(transfer, { rate: 0, size: undefined }),
    "5.00 MiB sent, 0 B received, 0 B/s",
  );
});

Deno.test("-q closes this long after the end of stdin, even if the peer continues", async () => {
  await using server = await TestServer.open("chargen://:0");
  const args = ["127.0.0.1", String(server.port()), "-q", "20ms"];
  const { error } = await runTestClient(args, "x");
  assertEquals(error, "");
  await server.event("closed");
});
