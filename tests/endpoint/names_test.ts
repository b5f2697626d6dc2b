/** Host names in other letters than ASCII's, and Unix sockets without a file. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { parseConfig } from "../../src/config/config_file.ts";
import { writeConfig } from "../../src/config/write_config.ts";
import { formatAddress } from "../../src/endpoint/address.ts";
import { runTestClient } from "../harness/client.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

Deno.test("a name in other letters is looked up and verified as xn--…", () => {
  const { targets, options } = parseClientArgs([
    ...["tls://Bücher.test:443", "--tls-server-name", "日本.test"],
    ...["--proxy", "socks5h://прокси.test:1080"],
  ]);
  assertEquals(targets.map(formatAddress), ["xn--bcher-kva.test:443"]);
  assertEquals(options["tls-server-name"], "xn--wgv71a.test");
  assertEquals(options.proxy?.address.hostname, "xn--h1adldfi.test");
  assertEquals(configOf(["forward://:1?to=bücher.test:80"]).outlets[0]?.serviceOptions.to, [
    { address: { hostname: "xn--bcher-kva.test", port: 80 }, tls: false },
  ]);
});

/** A name that no other test has. */
function abstractName(): string {
  return `@outlet-test-${crypto.randomUUID()}`;
}

Deno.test("an abstract name stays a name in a config file, wherever the file is", async () => {
  const config = configOf(["echo+unix://@x", "forward+unix://@y?to=unix:@x"]);
  const printed = writeConfig(config, { directory: "/somewhere" });
  assertMatch(printed, /"listen": "unix:@x"/);
  const { outlets } = await parseConfig(printed, { directory: "/elsewhere" });
  assertEquals(outlets, config.outlets);
});

testWith(["socat"], "socat and a client talk to an outlet with an abstract name", async () => {
  const name = abstractName();
  await using server = await TestServer.open(`echo+unix://${name}`);
  const client = ["socat", "-t", "5", "STDIO", `ABSTRACT-CONNECT:${name.slice(1)}`] as const;
  const { stdout } = await run([...client], { stdin: "hello\n" });
  assertEquals(stdout, "hello\n");
  const { received } = await runTestClient([`unix:${name}`], "again\n");
  assertEquals(received, "again\n");
  const { address, peer } = await server.event("opened");
  assertEquals([address, peer], [{ path: name }, { path: name }]);
  const { message } = await assertRejects(
    () => TestServer.open(`echo+unix://${name}`),
    Error,
  );
  assertMatch(message, /another socket has that name/);
});

testWith(["socat"], "a client and forward reach socat at an abstract name", async () => {
  const name = abstractName();
  await using socat = new Program([
    ...["socat", "-d", "-d", `ABSTRACT-LISTEN:${name.slice(1)},fork`, "EXEC:cat"] as const,
  ]);
  await socat.logs(/listening on/);
  await using server = await TestServer.open(`forward://:0?to=unix:${name}`);
  const { received } = await runTestClient([`127.0.0.1:${server.port()}`], "hello\n");
  assertEquals(received, "hello\n");
  const { error } = await runTestClient([`unix:${name}-none`]);
  assertMatch(error, /connection refused: nothing listens on that name/);
});

Deno.test("--count forever prints the time of each connect until it is interrupted", async () => {
  await using server = await TestServer.open("discard://:0");
  const target = `127.0.0.1:${server.port()}`;
  const words = outlet("client", "-z", target, "--count", "forever", "--interval", "1ms");
  await using text = new Program(words);
  const line = `\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z ${target} open in [\\d.]+ .?s\\n`;
  await text.prints(new RegExp(`^(${line}){3}`));
  text.signal("SIGINT");
  const { stdout } = await text.outcome();
  // What the interrupt cut short counts as lost.
  assertMatch(stdout, /\d+ sent, \d+ connected, .* lost\nmin /);
  await using json = new Program([...words, "--json"]);
  const [shown] = await json.prints(/^\{.*\}\n/);
  const { time, target: named, state, ms } = JSON.parse(shown);
  assert(Date.parse(time) > 0 && ms > 0);
  assertEquals([named, state], [target, "open"]);
});
