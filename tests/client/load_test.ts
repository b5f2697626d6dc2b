import { assert, assertEquals, assertMatch } from "@std/assert";
import { runTestClient } from "../harness/client.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

const SHORT = ["--duration", "1s", "--connections", "3"];

Deno.test("each mode of a load test prints its results", async () => {
  await using server = await TestServer.open("echo://:0");
  const args = ["127.0.0.1", String(server.port()), "--bench", ...SHORT];
  for (const mode of ["round-trip", "stream", "connect"]) {
    const { printed, error } = await runTestClient([...args, "--mode", mode, "--json"]);
    const found = JSON.parse(printed);
    assertEquals([error, found.mode, found.connections, found.errors], ["", mode, 3, {}]);
    if (mode === "stream") assert(found.bytes_in > 0 && found.bytes_out >= found.bytes_in);
    else assert(found.count > 0 && found.latency_ms.p99 >= found.latency_ms.p50);
    assertEquals(typeof found.client_was_bottleneck, "boolean");
  }
  const { printed } = await runTestClient(args);
  assertMatch(printed, /round trips, \d+ a second\n/);
  assertMatch(printed, /p50 .*, p90 .*, p99 .*, p99\.9 /);
  assertMatch(printed, /this client used \d+ % of a core/);
});

Deno.test("errors are counted by kind, and a test without any result fails", async () => {
  const { printed, error } = await runTestClient(["127.0.0.1", "9", "--bench", ...SHORT, "--json"]);
  const [[reason, count] = []] = Object.entries(JSON.parse(printed).errors);
  assertMatch(String(reason), /refused/);
  assert(Number(count) >= 3);
  assertMatch(error, /failed on every connection/);
});

Deno.test("a load that ends before any connection is accepted ends in time, and reports no errors", async () => {
  using full = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = full.addr;
  const waiting = await Promise.all(
    [1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  const args = [
    "127.0.0.1",
    String(port),
    "--bench",
    ...SHORT,
    "--connect-timeout",
    "10m",
    "--json",
  ];
  const { error, printed } = await runTestClient(args);
  assertMatch(error, /accepted no connection in /);
  assertEquals(JSON.parse(printed).errors, {});
  for (const connection of waiting) connection.close();
});

Deno.test("a service that closes each connection is counted as an error of a kind of its own", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const client of listener) client.close();
  })().catch(() => {});
  const args = ["127.0.0.1", String(listener.addr.port), "--bench", "--size", "1k", "--json"];
  const { printed, error } = await runTestClient([...args, ...SHORT]);
  assert(JSON.parse(printed).errors["the service closed the connection"] > 0, printed);
  assertMatch(error, /sent no echo: it closed each connection without an answer; --mode connect/);
  listener.close();
  await serving;
});

testWith(
  ["dropbear", "dropbearkey"],
  "an SSH server does not echo, so only its accept rate is measured",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const key = `${folder.path}/key`;
    const made = await run(["dropbearkey", "-t", "ed25519", "-f", key]);
    assertEquals(made.code, 0, made.stderr);
    await using server = await TestServer.open(
      "exec://:0?stdio=socket",
      ...["--", "dropbear", "-i", "-r", key],
    );
    const args = ["client", "127.0.0.1", String(server.port()), "--bench"];
    const echo = await run(outlet(...args));
    assertEquals([echo.code, echo.stdout], [1, ""]);
    assertMatch(echo.stderr, /sent no echo: it answered "SSH-2\.0-dropbear.*--mode connect/);
    const connects = await run(outlet(...args, ...SHORT, "--mode", "connect", "--json"));
    assertEquals([connects.code, connects.stderr], [0, ""]);
    assert(JSON.parse(connects.stdout).count > 0, connects.stdout);
  },
);

Deno.test("a service that does not echo is reported as such, with the modes that can measure it", async () => {
  await using server = await TestServer.open("daytime://:0", "discard://:0");
  const args = (index: number) => ["127.0.0.1", String(server.port(index)), "--bench", ...SHORT];
  const other = await runTestClient(args(0));
  assertMatch(other.error, /^127\.0\.0\.1:\d+ sent no echo: it answered "\w+.*GMT.*--mode connect/);
  assertEquals(other.printed, "");
  const unanswered = await runTestClient(args(1));
  assertMatch(
    unanswered.error,
    /sent no echo: .* were sent, and nothing was received in .*--mode connect/,
  );
  for (const index of [0, 1]) {
    const { printed, error } = await runTestClient([
      ...args(index),
      "--mode",
      "connect",
      "--json",
    ]);
    assertEquals(error, "");
    assert(JSON.parse(printed).count > 0);
  }
});

testWith(["python3"], "a web server and a refusing proxy do not echo", async () => {
  await using web = new Program(["python3", "-u", "-m", "http.server", "0", "-b", "127.0.0.1"]);
  const [, port] = await web.prints(/port (\d+)/);
  const args = ["127.0.0.1", port!, "--bench", ...SHORT];
  assertMatch((await runTestClient(args)).error, /sent no echo/);
  assertEquals((await runTestClient([...args, "--mode", "connect"])).error, "");
  const refusing = await runTestClient([...args, "--proxy", `http://127.0.0.1:${port}`, "--json"]);
  assertMatch(refusing.error, /failed on every connection: see the errors above/);
  assertMatch(Object.keys(JSON.parse(refusing.printed).errors)[0]!, /it answered 501/);
});

Deno.test("a peer's text in an error is escaped in JSON and in text", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const text = "HTTP/1.1 403 \x1b[2J\x9b31m\r\n\r\n";
  const answer = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const serving = (async () => {
    for await (const client of listener) {
      await client.read(new Uint8Array(1024));
      await client.write(answer);
      client.close();
    }
  })().catch(() => {});
  const proxy = `http://127.0.0.1:${listener.addr.port}`;
  const args = ["a.test", "80", "--proxy", proxy];
  for (const measure of [["-z"], ["--bench", "--duration", "2s", "--connections", "3"]]) {
    const { code, stdout, stderr } = await run(outlet("client", ...args, ...measure));
    assertEquals(code, 1);
    assertMatch(stdout + stderr, /403 ␛\[2J\ufffd31m/);
    assertEquals(/\p{Cc}/u.test((stdout + stderr).replaceAll("\n", "")), false);
    const json = await run(outlet("client", ...args, ...measure, "--json"));
    assertEquals(/\p{Cc}/u.test((json.stdout + json.stderr).replaceAll("\n", "")), false);
    assertMatch(JSON.stringify(JSON.parse(json.stdout)), /403 \\u001b\[2J\x9b31m/);
  }
  listener.close();
  await serving;
});
