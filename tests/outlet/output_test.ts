/** `output`, `hex-dump` and `json` of outlets: what their connections receive and send. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { eventually } from "../harness/eventually.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { testWith } from "../harness/tools.ts";

/** Sends a text to an echo outlet and reads the answer. */
async function ask(server: TestServer, text: string, index = 0): Promise<void> {
  const client = await server.connect(index);
  await send(client, text);
  await client.closeWrite();
  await readText(client);
  client.close();
}

/** The lines of a file. */
async function linesOf(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path)).split("\n").slice(0, -1);
}

Deno.test("output has what all connections received, and replaces what was there", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/received`;
  await Deno.writeTextFile(path, "from an earlier server\n");
  await using server = await TestServer.open(`echo://:0?output=${path}&crlf`);
  assertEquals(await Deno.readTextFile(path), "from an earlier server\n");
  await ask(server, "one\n");
  await ask(server, "two\n");
  assertEquals(await Deno.readTextFile(path), "one\ntwo\n");
});

Deno.test("append-output keeps what was there, and output-sent adds what was sent", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/both`;
  await Deno.writeTextFile(path, "before\n");
  const options = ["--output", path, "--append-output", "--output-sent"];
  await using server = await TestServer.open("echo://:0?crlf", "qotd://:0", ...options);
  await ask(server, "hello\n");
  assertEquals(await Deno.readTextFile(path), "before\nhello\nhello\r\n");
  // Outlets share the file.
  await ask(server, "", 1);
  assertMatch(await Deno.readTextFile(path), /^before\nhello\nhello\r\n.+\.\r\n$/);
});

Deno.test("the lines of a hex dump tell the connection, the direction and the offset", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/dump`;
  await using server = await TestServer.open(`echo://:0?hex-dump=${path}`);
  await ask(server, "Hi\n");
  await ask(server, "Ho\n");
  const lines = await linesOf(path);
  assertEquals(lines.length, 4);
  const [first] = /^#\d+/.exec(lines[0]!)!;
  assertMatch(lines[0]!, /^#\d+ < \S+Z 00000000 {2}48 69 0a +\|Hi\.\|$/);
  assert(lines[1]!.startsWith(`${first} > `), lines[1]);
  assertMatch(lines[2]!, /^#\d+ < \S+Z 00000000 {2}48 6f 0a/);
  assert(!lines[2]!.startsWith(`${first} `), lines[2]);
});

Deno.test("json writes a record for each chunk, as text or base64, with nothing unsafe in it", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/records`;
  await using server = await TestServer.open(`echo://:0?json&output=${path}&name=e`);
  await ask(server, "grüße \x1b[31m\u202e");
  {
    using client = await server.connect();
    await client.write(Uint8Array.of(0xff, 0xfe));
    await client.closeWrite();
    await readText(client);
  }
  const lines = await linesOf(path);
  const records = lines.map((line) => JSON.parse(line));
  assertEquals(records.map(({ direction }) => direction), ["received", "sent", "received", "sent"]);
  const [first, , third] = records;
  assertEquals(first.text, "grüße \x1b[31m\u202e");
  assertEquals([first.outlet, first.bytes], ["e", 16]);
  assertMatch(first.peer, /^127\.0\.0\.1:\d+$/);
  assertEquals(third.base64, "//4=");
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x1f\u202e]/.test(lines[0]!), lines[0]);
});

Deno.test("json without a file goes to stdout, apart from the log", async () => {
  await using server = new Program(outlet("server", "echo://127.0.0.1:0?once", "--json"));
  const [, port] = await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/);
  await server.logs(/ready/);
  await run(outlet("client", "127.0.0.1", port!), { stdin: "hello\n" });
  const { stdout } = await server.outcome();
  const texts = stdout.trim().split("\n").map((line) => JSON.parse(line).text);
  assertEquals(texts, ["hello\n", "hello\n"]);
});

testWith(
  ["ncat"],
  "both ends of a conversation have the same output, as with ncat -o",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const [ours, theirs] = [`${folder.path}/server.log`, `${folder.path}/client.log`];
    await using server = new Program(
      outlet("server", "stdio://127.0.0.1:0", "-o", ours, "--output-sent"),
    );
    const [, port] = await server.logs(/listening stdio on 127\.0\.0\.1:(\d+)/);
    await server.logs(/ready/);
    await using client = new Program(["ncat", "--output", theirs, "127.0.0.1", port!]);
    await client.type("abc\n");
    await server.prints(/abc\n/);
    await server.type("def\n");
    await client.prints(/def\n/);
    // Each writes what it sends to its file later than to the socket.
    for (const path of [ours, theirs]) {
      await eventually(async () => await Deno.readTextFile(path) === "abc\ndef\n", path);
    }
  },
);

Deno.test("the client's output and hex dump are overwritten, or appended to", async () => {
  await using folder = await TemporaryDirectory.make();
  await using server = await TestServer.open("echo://:0");
  const [path, dump] = [`${folder.path}/out`, `${folder.path}/dump`];
  const once = async (text: string, ...more: string[]) => {
    const target = ["client", "127.0.0.1", String(server.port()), "-o", path, "-x", dump];
    const { code } = await run(outlet(...target, ...more), { stdin: text });
    assertEquals(code, 0);
  };
  await once("long, but overwritten\n");
  await once("one\n");
  assertEquals(await Deno.readTextFile(path), "one\n");
  assertEquals((await linesOf(dump)).length, 2);
  await once("two\n", "--append-output", "--output-sent");
  assertEquals(await Deno.readTextFile(path), "one\ntwo\ntwo\n");
  assertEquals((await linesOf(dump)).length, 4);
});

testWith(["sh"], "a full disk ends the connection, and the log says why", async () => {
  await using server = await TestServer.open("echo://:0?output=/dev/full");
  using client = await server.connect();
  await send(client, "hello\n");
  const { reason } = await server.event("closed");
  assertStringIncludes(reason, "cannot write to /dev/full");
  // The outlet goes on.
  using next = await server.connect();
  await send(next, "hello\n");
  await server.event("closed", ({ connection }) => connection > firstClosed(server));
});

function firstClosed(server: TestServer): number {
  const closed = server.events.find(({ event }) => event === "closed");
  return closed?.event === "closed" ? closed.connection : Infinity;
}

testWith(
  ["mkfifo"],
  "a destination that takes nothing holds its connection, which can still be closed",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const path = `${folder.path}/fifo`;
    await run(["mkfifo", path]);
    // Open at both ends, so that writing blocks only when the pipe is full.
    using held = await Deno.open(path, { read: true, write: true });
    await using server = await TestServer.open(`discard://:0?output=${path}&idle-timeout=1s`);
    using client = await server.connect();
    const sending = send(client, new Uint8Array(64_000_000)).catch(() => {});
    const { reason, bytesIn } = await server.event("closed");
    assertEquals(reason, "idle");
    assert(bytesIn < 64_000_000, `${bytesIn}`);
    await sending;
    // What was being written can end.
    const buffer = new Uint8Array(1 << 20);
    for (let left = bytesIn; left > 0;) left -= await held.read(buffer) ?? left;
    await server.server.stop({ grace: 0 });
  },
);

Deno.test("output that cannot be, or has no effect, is refused at the start", async () => {
  const cases: readonly (readonly [args: string[], message: RegExp])[] = [
    [["echo://:0?output=/no/such/directory/f"], /output .*no such directory/],
    [["echo://:0", "--append-output"], /--append-output needs --output or --hex-dump/],
    [["echo://:0", "--output-sent"], /--output-sent needs --output/],
    [["stdio://:0", "--json"], /json would be mixed with the data of stdio on stdout/],
    [["stdio://:0?hex-dump=-"], /hex-dump would be mixed with the data of stdio on stdout/],
    [["echo://:0", "--json", "--workers", "2"], /workers and json on stdout exclude each other/],
    [["echo://:0", "-x", "-", "--workers", "2"], /workers and hex-dump on stdout exclude/],
    [["echo://:0", "-o", "f", "--workers", "2"], /with workers, output needs append-output/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(outlet("server", ...args, "--check"));
    assertEquals(code, 2, args.join(" "));
    assertMatch(stderr, message);
  }
});

Deno.test("workers append to one file", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/all`;
  await using server = new Program(outlet(
    ...["server", "echo://127.0.0.1:0", "--workers", "2", "-o", path, "--append-output"],
  ));
  const [, port] = await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/);
  await server.logs(/ready/);
  for (let at = 0; at < 20; at++) {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await send(client, `line ${at}\n`);
    await readUntil(client, /\n/);
  }
  const sorted = (await linesOf(path)).sort();
  assertEquals(sorted, Array.from({ length: 20 }, (_, at) => `line ${at}`).sort());
});

Deno.test("an output file is closed when no connection uses it", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/f`;
  await using server = await TestServer.open(`echo://:0?output=${path}`);
  await ask(server, "one\n");
  await eventually(() => !openFiles().includes(path), "closing the file");
  // A file that was moved away is made again, not overwritten.
  await Deno.rename(path, `${path}.1`);
  await ask(server, "two\n");
  assertEquals(await Deno.readTextFile(path), "two\n");
  assertEquals(await Deno.readTextFile(`${path}.1`), "one\n");
});

/** The paths of this process's open files. */
function openFiles(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return [];
    }
  });
}
