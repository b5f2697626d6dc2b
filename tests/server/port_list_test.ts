/** Lists of ports: one outlet for each, however they are asked for. */
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { parseConfig } from "../../src/config/config_file.ts";
import { writeConfig } from "../../src/config/write_config.ts";
import { open } from "../../src/library/server.ts";
import { formatAddress } from "../../src/endpoint/address.ts";
import type { ServerConfig } from "../../src/config/server_config.ts";
import { TestConsole } from "../harness/console.ts";
import { freePort } from "../harness/ports.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { readUntil, send } from "../harness/bytes.ts";

/** Where the outlets of a config listen, and their names. */
function placesOf({ outlets }: ServerConfig): string[] {
  return outlets.map(({ name, service, listen }) => `${name ?? service} ${formatAddress(listen)}`);
}

const LIST = "7000-7003,7020";
const NUMBERED = [7000, 7001, 7002, 7003, 7020].map((port, at) => `a-${at + 1} 127.0.0.1:${port}`);

Deno.test("a list of ports is an outlet for each, numbered by name: in a SPEC, as flags, in a file", async () => {
  assertEquals(placesOf(configOf([`echo://:${LIST}?name=a`])), NUMBERED);
  const flags = ["--service", "echo", "--name", "a", "--port", LIST];
  assertEquals(placesOf(configOf(flags)), NUMBERED);
  const file = async (outlet: unknown) =>
    placesOf(await parseConfig(JSON.stringify({ outlets: [outlet] })));
  assertEquals(await file({ service: "echo", name: "a", listen: `:${LIST}` }), NUMBERED);
  assertEquals(await file(`echo://:${LIST}?name=a`), NUMBERED);
});

Deno.test("a list of UDP ports is an outlet for each, in a SPEC and in a file", async () => {
  const numbered = NUMBERED.map((place) => place.replace(" ", " udp://"));
  const config = configOf([`echo+udp://:${LIST}?name=a`]);
  assertEquals(placesOf(config), numbered);
  const file = { outlets: [{ service: "echo", name: "a", listen: `udp://:${LIST}` }] };
  assertEquals(placesOf(await parseConfig(JSON.stringify(file))), numbered);
  assertEquals((await parseConfig(writeConfig(config))).outlets, config.outlets);
});

Deno.test("without a name, and with one port, nothing is numbered", () => {
  assertEquals(placesOf(configOf(["echo://[::1]:7-8"])), ["echo [::1]:7", "echo [::1]:8"]);
  assertEquals(placesOf(configOf(["echo://:7?name=a"])), ["a 127.0.0.1:7"]);
});

Deno.test("what --print-config prints of a list is the same outlets", async () => {
  const config = configOf([`echo://:${LIST}?name=a&idle-timeout=5s`]);
  const { outlets } = await parseConfig(writeConfig(config));
  assertEquals(outlets, config.outlets);
});

const WRONG: readonly (readonly [words: readonly string[], reason: RegExp])[] = [
  [["echo://:7000-7005,7003?name=a"], /^a-4 and a-7 have the same address, 127\.0\.0\.1:7003$/],
  [["echo://:7000-7005?name=a", "chat://0.0.0.0:7003"], /^a-4 and chat have overlapping addresses/],
  [["echo://:1-1025"], /port "1-1025": 1025 ports, and one list has at most 1024: use several/],
  [["echo://:0-65535"], /65536 ports, and one list has at most 1024/],
  [["echo://:9-7"], /port "9-7": the range runs backwards/],
  [["echo://:7,"], /port "": expected a port, 0 to 65535, or a list of them such as/],
  [["echo://:7-70000"], /port "70000": expected a port, 0 to 65535, or a list/],
  [["echo://7000-7009"], /did you mean echo:\/\/:7000-7009\?/],
  [["--port", "7-x"], /--port "7-x": port "7-x": expected a port/],
  [[`echo://:7-8?name=${"x".repeat(63)}`], /name "x+-1": expected a name of 1 to 64/],
  [["echo://:7-8?name=a", "chat://:9?name=a-2"], /^two outlets are named a-2/],
];

for (const [words, reason] of WRONG) {
  Deno.test(`"outlet server ${words.join(" ").slice(0, 60)}" is refused in words`, () => {
    assertMatch(assertThrows(() => configOf(words), Error).message, reason);
  });
}

Deno.test("each outlet of a list serves clients of its own", async () => {
  await using server = await TestServer.open("echo://:0,0,0?name=a");
  assertEquals([...server.server.outlets].map(({ name }) => name), ["a-1", "a-2", "a-3"]);
  for (const at of [0, 1, 2]) {
    using client = await server.connect(at);
    await send(client, "x\n");
    assertEquals(await readUntil(client, /\n/), "x\n");
  }
  const { message } = await assertRejects(
    () => TestServer.open(`echo://:0,${server.port(1)}?name=b`),
    Error,
  );
  assertMatch(message, /cannot listen on 127\.0\.0\.1:\d+/);
});

Deno.test("a reload that adds a port to a list keeps the outlets that are there", async () => {
  const [one, two, three] = [freePort(), freePort(), freePort()];
  await using server = await TestServer.open(`echo://:${one},${two}?name=a`);
  const ids = [...server.server.outlets].map(({ id }) => id);
  const changes = await server.server.change(configOf([`echo://:${one},${two},${three}?name=a`]));
  assertEquals(changes, { opened: 1, closed: 0, changed: 0 });
  assertEquals([...server.server.outlets].map(({ id }) => id).slice(0, 2), ids);
});

Deno.test("the library has an outlet for each SPEC, and all of them", async () => {
  await using server = await open("echo://:0,0?name=a", { service: "daytime", listen: ":0" });
  assertEquals(server.outlets.map(({ name }) => name), ["a-1", "daytime"]);
  assertEquals(server.allOutlets.map(({ name }) => name), ["a-1", "a-2", "daytime"]);
});

Deno.test("the console opens a list of ports, all of them or none", async () => {
  await using console = await TestConsole.open("echo://:0");
  const taken = console.server.port();
  const body = (port: unknown) => ({ service: "echo", port, options: { name: "a" } });
  const opened = await console.post("/api/v1/outlets", body("0,0"));
  assertEquals(opened.map(({ name }: { name: string }) => name), ["a-1", "a-2"]);
  const answer = await console.ask("/api/v1/outlets", {
    method: "POST",
    body: JSON.stringify({ ...body(`0,${taken}`), options: { name: "b" } }),
    headers: { "content-type": "application/json" },
  });
  const { field, error } = await answer.json();
  assertEquals([answer.status, field], [409, "port"]);
  assertMatch(error, /echo and b-2 have the same address/);
  assertEquals([...console.server.server.outlets].length, 3);
});
