import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { probe } from "../../src/client/probe.ts";
import { eventually } from "../harness/eventually.ts";
import { outlet, Program } from "../harness/program.ts";
import { runTestClient } from "../harness/client.ts";
import { TestServer } from "../harness/server.ts";

Deno.test("-z reports an open port, or fails with the reason", async () => {
  await using server = await TestServer.open("echo://:0");
  const open = await runTestClient(["-z", "127.0.0.1", String(server.port())]);
  assertMatch(open.printed, /^127\.0\.0\.1:\d+ is open \(connected in .*\)\n$/);
  assertEquals(open.error, "");
  assertMatch(
    (await runTestClient(["-z", "127.0.0.1", "9"])).error,
    /refused: nothing listens on that port of this machine/,
  );
});

Deno.test("-z with a list and a range reports every port, and fails unless all are open", async () => {
  await using server = await TestServer.open("echo://:0", "echo://:0");
  const ports = [server.port(0), server.port(1)];
  const all = await runTestClient(["-z", "127.0.0.1", ports.join()]);
  assertEquals(all.error, "");
  assertEquals(all.printed.match(/ open /g)?.length, 2);
  const some = await runTestClient(["-z", "127.0.0.1", `${ports[0]},9-10`]);
  assertMatch(some.printed, /^9 +refused$/m);
  assertMatch(some.printed, /^10 +refused$/m);
  assertEquals(some.error, "2 of 3 are not open: 9-10 refused");
});

Deno.test("a port whose accept queue is full is silent", async () => {
  using full = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const waiting = await Promise.all(
    [1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port: full.addr.port })),
  );
  const args = ["127.0.0.1", String(full.addr.port), "--timeout", "200ms", "--json"];
  const { printed, error } = await runTestClient(["-z", ...args]);
  assertMatch(error, /timed out after 200 ms/);
  assertEquals(JSON.parse(printed).state, "silent");
  for (const conn of waiting) conn.close();
});

for (const args of [[], ["--count", "3"]]) {
  Deno.test(`a silent port probed with ${args.join(" ") || "-z alone"} is reported on interrupt as tried once and unanswered`, async () => {
    using full = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const { port } = full.addr;
    const waiting = await Promise.all(
      [1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })),
    );
    const probe = outlet("client", "-z", "127.0.0.1", String(port), ...args);
    await using program = new Program(probe);
    await eventually(() => isAskedFor(port));
    program.signal("SIGINT");
    const { code, stdout, stderr } = await program.outcome();
    assertEquals(code, 1);
    assertEquals(stdout, `127.0.0.1:${port}: 1 sent, 0 connected, 100 % lost\n`);
    assertMatch(stderr, /^outlet: interrupted: no answer in .*\n$/);
    for (const conn of waiting) conn.close();
  });
}

Deno.test("after an interrupt, ports that were not probed are reported as such", async () => {
  const stop = new AbortController();
  const printed: string[] = [];
  const ends = {
    log() {},
    print: (text: string) => Promise.resolve(void printed.push(text)),
    signal: stop.signal,
  };
  stop.abort();
  const config = parseClientArgs(["-z", "127.0.0.1", "9-11,22"]);
  await assertRejects(() => probe(config, ends), Error, "4 of 4 are not open: 9-11, 22 unprobed");
  assertEquals(printed.join("").match(/ unprobed$/gm)?.length, 4);
});

Deno.test("--count prints statistics, as text and JSON", async () => {
  await using server = await TestServer.open("echo://:0");
  const args = ["-z", "127.0.0.1", String(server.port()), "--count", "5", "--interval", "1ms"];
  const { printed } = await runTestClient(args);
  assertMatch(
    printed,
    /: 5 sent, 5 connected, 0.00 % lost\nmin .*, median .*, p99 .*, max .*, jitter /,
  );
  assertMatch(printed, /│█+ /);
  const found = JSON.parse((await runTestClient([...args, "--json"])).printed);
  assertEquals([found.state, found.count, found.open, found.loss], ["open", 5, 5, 0]);
});

Deno.test("invalid ports, and options without those that they need, are refused", () => {
  const cases: [string[], RegExp][] = [
    [["-z", "h", "80-20"], /the range runs backwards/],
    [["-z", "h", "1-70000"], /expected a port/],
    [["h", "1,2"], /several ports need -z/],
    [["h", "1", "--count", "2"], /--count needs --probe/],
    [["h", "1", "--size", "2"], /--size needs --bench/],
    [["h", "1", "--tls-ca", "x"], /--tls-ca needs --tls/],
    [["h", "1", "-z", "--bench"], /exclude each other/],
  ];
  for (const [args, expected] of cases) {
    assertMatch((assertThrows(() => parseClientArgs(args)) as Error).message, expected);
  }
});

/**
 * Whether the kernel has sent a SYN to this port and awaits the answer: SYN_SENT, state 02 of
 * proc(5).
 */
async function isAskedFor(port: number): Promise<boolean> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return new RegExp(`^ *\\d+: \\S+ [0-9A-F]+:${hex} 02 `, "m").test(
    await Deno.readTextFile("/proc/net/tcp"),
  );
}
