import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseScript, resolveEscapes } from "../../src/script/script.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { runTestClient } from "../harness/client.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** Runs the script with the first outlet of a server. */
async function runScript(server: TestServer, script: string): Promise<string> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, script);
  try {
    const { error } = await runTestClient(["127.0.0.1", String(server.port()), "--script", file]);
    return error.replace(file, "script");
  } finally {
    await Deno.remove(file);
  }
}

testWith(["redis-server"], "a script talks to Redis", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/redis.sock`;
  await using redis = new Program([
    "redis-server",
    ...["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder],
  ]);
  await redis.prints(/ready to accept connections/i);
  const script = `${folder}/script`;
  await Deno.writeTextFile(
    script,
    String.raw`
      # the counter is saved and said again
      send "SET counter 41\r\nINCR counter\r\n"
      expect "+OK\r\n"
      save n /^:(\d+)\r\n/
      send-hex 474554 20 636f756e7465720d0a
      expect /^\$2\r\n${"${n}"}\r\n/
      send "ECHO x${"${n}"}y\r\n"
      expect "x42y"
      sleep 1ms
      send "QUIT\r\n"
      expect /^\+OK/
      expect-end
    `,
  );
  const { code, stderr } = await run(outlet("client", `unix:${path}`, "--script", script));
  assertEquals([code, stderr], [0, ""]);
  await redis[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a failed step is reported with its line, the reason, and what was received instead", async () => {
  await using server = await TestServer.open("echo://:0");
  assertEquals(
    await runScript(
      server,
      'send "500 no\\r\\n"\nexpect /^(?=500 no\\r\\n)/\ntimeout 50ms\n\nexpect /^250 /',
    ),
    'script:5: expect /^250 /: timed out after 50.0 ms; received instead: "500 no\\r\\n"',
  );
  assertEquals(
    await runScript(server, 'close-write\nexpect "x"'),
    'script:2: expect "x": the peer closed the connection; nothing was received',
  );
  assertMatch(await runScript(server, 'send "${nobody}"'), /nothing was saved as "nobody"/);
});

Deno.test("^ in a pattern matches the start of a line, not of the unmatched rest", async () => {
  await using server = await TestServer.open("echo://:0");
  const script =
    'send "250-a 250 b\\r\\n250 c\\r\\n"\nexpect /^250-/\nexpect /^250 (b|c)/\nexpect "\\r\\n"\ntimeout 50ms\nexpect "x"';
  assertMatch(await runScript(server, script), /script:6: .*nothing was received/);
});

Deno.test("a saved value is replaced in patterns and texts", async () => {
  await using server = await TestServer.open("echo://:0");
  const script = [
    'send "id=a.b\\\\c\\r\\n"',
    "save id /id=(\\S+)\\r\\n/",
    'send "axb\\\\c ${id}\\r\\n"',
    "expect /^axb\\\\c ${id}\\r\\n/",
  ];
  assertEquals(await runScript(server, script.join("\n")), "");
});

Deno.test("a flood without a match is an error, and is not buffered", async () => {
  await using server = await TestServer.open("chargen://:0");
  assertMatch(await runScript(server, 'expect "never"'), /no match in 1 MiB of received text/);
});

Deno.test("escapes are replaced by their bytes", () => {
  const bytes = resolveEscapes(String.raw`a\r\n\t\0\e\"\\\xff\u{e9}é`);
  assertEquals([...bytes], [97, 13, 10, 9, 0, 27, 34, 92, 255, 0xc3, 0xa9, 0xc3, 0xa9]);
});

Deno.test("an invalid line is reported with its number", () => {
  const cases: [string, RegExp][] = [
    ["sendd x", /^f:1: unknown word "sendd": did you mean "send"\?/],
    ["\n# c\nsend QUIT", /^f:3: expected quoted text/],
    ["expect /(/", /^f:1: .*[Uu]nterminated group/],
    ["expect 250", /^f:1: expected a pattern/],
    ["send-hex 0d0", /^f:1: expected bytes in hex/],
    ["sleep soon", /^f:1: expected a duration/],
    ["save 1 /x/", /^f:1: expected a name and a pattern/],
    ["close-write now", /^f:1: expected nothing after it/],
  ];
  for (const [text, expected] of cases) {
    assertMatch(assertThrows(() => parseScript(text, "f"), UsageError).message, expected);
  }
});

Deno.test("--script - is read from stdin, and errors name stdin", async () => {
  await using server = await TestServer.open("echo://:0");
  const args = outlet("client", "127.0.0.1", String(server.port()), "--script", "-");
  const good = await run(args, {
    stdin: 'send "hi\\r\\n"\nexpect /^hi/\nclose-write\nexpect-end\n',
  });
  assertEquals([good.code, good.stderr], [0, ""]);
  const bad = await run(args, { stdin: "# a comment\nsend hi\n" });
  assertEquals(bad.code, 2);
  assertMatch(bad.stderr, /^outlet: stdin:2: expected quoted text/);
  const failed = await run(args, { stdin: 'send "a"\ntimeout 50ms\nexpect /b/\n' });
  assertEquals(failed.code, 1);
  assertMatch(failed.stderr, /stdin:3: expect .*timed out after 50.0 ms; received instead: "a"/);
});
