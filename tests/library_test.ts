/** The library: outlets, clients and captures inside another program. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { connect } from "@outlet/outlet/client";
import { open, type OpenOptions, type OutletEvent } from "@outlet/outlet/server";
import { handshakesOf } from "@outlet/outlet/trace";
import { EventBus } from "../src/events/event_bus.ts";
import { EventStream } from "../src/library/event_stream.ts";
import { formatAddress } from "../src/endpoint/address.ts";
import { TemporaryDirectory } from "./harness/temporary_directory.ts";
import { ROOT } from "./harness/program.ts";

const CAPTURES = `${ROOT}tests/trace/captures/`;

/** A program that uses the library. */
const TEN_LINES = `
import { open } from "@outlet/outlet/server";
import { connect } from "@outlet/outlet/client";
await using server = await open("echo://:0", "chat://:0");
const closed = server.events("closed");
using client = await connect(server.outlets[0]);
await client.write("hello\\n");
if (await client.readLine() !== "hello") throw new Error("no echo");
client.close();
const { value } = await closed.next();
if (value?.bytesIn !== 6 || server.outlets[1].port === 0) throw new Error("no event");
`;

Deno.test("a program opens outlets on free ports, receives their events and disposes of them in ten lines", async () => {
  await using server = await open("echo://:0", "chat://:0");
  const closed = server.events("closed");
  using client = await connect(server.outlets[0]);
  await client.write("hello\n");
  assertEquals(await client.readLine(), "hello");
  client.close();
  const { value } = await closed.next();
  assertEquals([value?.outlet, value?.bytesIn, value?.bytesOut], ["echo", 6, 6]);
  assert(server.outlets[0].port !== server.outlets[1].port);
});

Deno.test("these ten lines run as a type-checked test with sanitizers, and write nothing to stderr", async () => {
  assertEquals(TEN_LINES.trim().split("\n").length, 10);
  const [first, second, ...body] = TEN_LINES.trim().split("\n");
  const test = [first, second, 'Deno.test("ten lines", async () => {', ...body, "});"].join("\n");
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/ten_lines_test.ts`;
  const config = ["--config", `${ROOT}deno.json`, "--quiet", "--allow-net"];
  await Deno.writeTextFile(path, test);
  const { code, stdout, stderr } = await deno("test", ...config, path);
  assertEquals([code, stderr], [0, ""], stdout);
  await Deno.writeTextFile(path, TEN_LINES);
  assertEquals(await deno("run", ...config, path), { code: 0, stdout: "", stderr: "" });
});

Deno.test("an error in onEvent fails the test that passed it", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/callback_test.ts`;
  await Deno.writeTextFile(
    path,
    `import { open } from "@outlet/outlet/server";
    Deno.test("callback", async () => {
      await using _ = await open({ outlets: ["echo://:0"], onEvent() { throw new Error("mine"); } });
    });`,
  );
  const { code, stdout } = await deno(
    ...["test", "--config", `${ROOT}deno.json`, "--quiet", "--no-check", "--allow-net", path],
  );
  assertEquals([code, stdout.includes("mine")], [1, true], stdout);
});

Deno.test("10,000 unread events are buffered, and the loss of further ones is reported", async () => {
  const eventBus = new EventBus();
  const accepts = (_: OutletEvent): _ is OutletEvent => true;
  const stream = new EventStream({ eventBus, accepts, ended() {} });
  for (let i = 0; i < 20_000; i++) eventBus.publish({ event: "reloading" });
  let read = 0;
  await assertRejects(
    async () => {
      for await (const _ of stream) read++;
    },
    Error,
    "more than 10000",
  );
  assertEquals(read, 10_000);
});

Deno.test("the examples in the library's docstrings and in docs/library.md run", async () => {
  const { code, stdout, stderr } = await deno(
    ...["test", "-A", "--doc", "--quiet"],
    ...["server", "client", "trace"].map((name) => `${ROOT}src/library/${name}.ts`),
    `${ROOT}docs/library.md`,
  );
  assertEquals(code, 0, stdout + stderr);
  assert(/ok \| [1-9]\d* passed/.test(stdout), stdout);
});

Deno.test("the exports of the three modules are documented, and refer to no private type", async () => {
  const { code, stdout, stderr } = await deno(
    ...["doc", "--lint"],
    ...["server", "client", "trace"].map((name) => `${ROOT}src/library/${name}.ts`),
  );
  assertEquals(code, 0, stdout + stderr);
});

Deno.test("the iterable of events ends with the server, after all its events", async () => {
  const server = await open({ outlets: ["echo://:0", "discard://:0"] });
  const events = server.events();
  await server[Symbol.asyncDispose]();
  const names: string[] = [];
  for await (const { event } of events) names.push(event);
  assertEquals(names, ["stopped", "stopped"]);
  assertEquals(await server.events().next(), { done: true, value: undefined });
});

Deno.test("a pending read of an event ends with the server", async () => {
  const server = await open("echo://:0");
  const refused = server.events("refused").next();
  await server[Symbol.asyncDispose]();
  assertEquals(await refused, { done: true, value: undefined });
});

Deno.test("leaving a loop over events ends the subscription", async () => {
  await using server = await open("echo://:0");
  const events = server.events("opened", "closed");
  using _client = await connect(server.outlets[0]);
  for await (const event of events) {
    assertEquals(event.event, "opened");
    break;
  }
  assertEquals(await events.next(), { done: true, value: undefined });
});

Deno.test("onEvent receives every event, from the first listening on", async () => {
  const received: OutletEvent["event"][] = [];
  const onEvent = ({ event }: OutletEvent) => received.push(event);
  {
    await using _server = await open({ outlets: ["echo://:0", "chat://:0"], onEvent });
  }
  assertEquals(received, ["listening", "listening", "ready", "stopped", "stopped"]);
});

Deno.test("outlets are SPECs or objects, and common options apply to each", async () => {
  await using server = await open({
    outlets: ["daytime://:0", { service: "echo", listen: ":0", name: "second", "max-per-ip": 1 }],
    "write-timeout": "5s",
    burst: undefined,
  });
  assertEquals(server.outlets.map(({ name }) => name), ["daytime", "second"]);
  const refused = server.events("refused");
  using first = await connect(server.outlets[1]);
  await first.write("in\n");
  assertEquals(await first.readLine(), "in");
  using second = await connect(server.outlets[1]);
  const { value } = await refused.next();
  assertEquals([value?.outlet, second.localAddress], ["second", formatAddress(value!.peer)]);
});

Deno.test("an outlet at a Unix socket has a path, and no port", async () => {
  await using home = await TemporaryDirectory.make();
  const folder = home.path;
  await using server = await open(`echo+unix://${folder}/echo.sock`, "echo://:0");
  const [unix, tcp] = server.outlets;
  assertEquals([unix.path, unix.address], [`${folder}/echo.sock`, `unix:${folder}/echo.sock`]);
  assertThrows(() => unix.port, TypeError, "has no port");
  assertThrows(() => tcp.path, TypeError, "has no path");
  assertEquals(tcp.address, `${tcp.hostname}:${tcp.port}`);
  using client = await connect(unix);
  await client.write("x");
  assertEquals(await client.read(), new Uint8Array([0x78]));
});

Deno.test("TLS works end to end, and a client that does not trust the certificate fails with the reason", async () => {
  await using server = await open("echo://:0?tls&tls-self-signed");
  using client = await connect(server.outlets[0], { tls: true, "tls-insecure": true });
  await client.write("secret\n");
  assertEquals(await client.readLine(), "secret");
  await assertRejects(() => connect(server.outlets[0], { tls: true }), Error, "certificate");
});

Deno.test("lines that arrive in pieces, many at once or without a newline are read one by one", async () => {
  await using server = await open("echo://:0");
  using client = await connect(server.outlets[0]);
  await client.write("one\r\ntwo\n\nthr");
  await client.write("ee");
  await client.closeWrite();
  const lines: (string | null)[] = [];
  for (let i = 0; i < 5; i++) lines.push(await client.readLine());
  assertEquals(lines, ["one", "two", "", "three", null]);
});

Deno.test("stop waits up to drain-timeout for connections, and returns how many it aborted", async () => {
  const server = await open({ outlets: ["echo://:0"], "drain-timeout": 0 });
  using client = await connect(server.outlets[0]);
  await client.write("x");
  await client.read();
  assertEquals(await server.stop(), 1);
  await assertRejects(() => connect(server.outlets[0]), Error, "refused");
});

const REFUSED: Record<string, unknown> = {
  metrics: ":0",
  workers: 2,
  trace: true,
  console: ":0",
  "console-insecure": true,
  "log-file": "/tmp/x",
  "log-level": "debug",
  "log-format": "json",
};

Deno.test("a server has UDP outlets, to which connect does not connect", async () => {
  await using server = await open("echo+udp://:0");
  const { address } = server.outlets[0];
  assertEquals(address, `udp://127.0.0.1:${server.outlets[0].port}`);
  await assertRejects(() => connect(address), Error, "udp is not supported by the library");
});

for (const [name, value] of Object.entries(REFUSED)) {
  Deno.test(`${name} is not supported by the library, and is refused`, async () => {
    const config = { outlets: ["echo://:0"], [name]: value } as OpenOptions;
    await assertRejects(() => open(config), Error, `${name} is not supported by the library`);
  });
}

Deno.test("an invalid outlet is refused before anything is opened", async () => {
  const cases: [() => Promise<unknown>, string][] = [
    [() => open(), "nothing to open"],
    [() => open("ecko://:0"), 'unknown service "ecko": did you mean "echo"?'],
    [() => open("echo://:0", "stdio://:0"), "outlets[1]: stdio is not supported"],
    [() => open({ service: "echo", listen: ":0", "idle-timeot": 1 }), "idle-timeout"],
    [() => open({ outlets: ["echo://:0"], "idle-timeout": "soon" }), "idle-timeout"],
    [() => open("echo://:0?tls-cert=/nowhere&tls"), "/nowhere"],
    [() => open(undefined as unknown as string), "outlets[0]"],
    [() => connect("127.0.0.1:1", { verbose: true } as never), "verbose is not supported"],
    [() => connect("127.0.0.1:1", { tsl: true } as never), 'unknown option "tsl"'],
    [() => connect("127.0.0.1:1", { "tls-ca": "x" }), "tls-ca needs tls"],
  ];
  for (const [attempt, message] of cases) await assertRejects(attempt, Error, message);
});

Deno.test("an address in use is refused, and outlets opened before it are closed again", async () => {
  await using server = await open("echo://:0");
  const { port } = server.outlets[0];
  await assertRejects(() => open("chat://:0", `echo://:${port}`), Error, String(port));
});

Deno.test("handshakes are read from a capture's path, its bytes or a stream of them", async () => {
  const path = `${CAPTURES}simul_real.pcap`;
  const bytes = await Deno.readFile(path);
  const found = await Array.fromAsync(handshakesOf(path));
  assertEquals(found.map(({ simultaneousOpen }) => simultaneousOpen).includes(true), true);
  assertEquals(await Array.fromAsync(handshakesOf(bytes)), found);
  assertEquals(await Array.fromAsync(handshakesOf(new Blob([bytes]).stream())), found);
  const notes: string[] = [];
  const none = handshakesOf(bytes, { ports: [1], onNote: (line) => notes.push(line) });
  assertEquals(await Array.fromAsync(none), []);
  assert(notes.some((line) => line.includes("of other hosts or ports")), notes.join("\n"));
});

Deno.test("an invalid capture, address or path is refused", async () => {
  const all = (...args: Parameters<typeof handshakesOf>) => Array.fromAsync(handshakesOf(...args));
  await assertRejects(
    () => all(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n".repeat(9))),
    Error,
  );
  await assertRejects(() => all(new Uint8Array(), { hosts: ["localhost"] }), Error, "hosts:");
  await assertRejects(() => all(`${CAPTURES}nothing.pcap`), Error, "cannot read");
});

async function deno(
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  ) as [string, string];
  return { code: output.code, stdout, stderr };
}
