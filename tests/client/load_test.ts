import { assert, assertEquals, assertMatch } from "@std/assert";
import { plug } from "../harness/client.ts";
import { TestServer } from "../harness/server.ts";

const SHORT = ["--duration", "200ms", "--connections", "3"];

Deno.test("each kind of load tells what the service bore", async () => {
  await using server = await TestServer.open("echo://:0");
  const words = ["127.0.0.1", String(server.port()), "--bench", ...SHORT];
  for (const load of ["round-trip", "stream", "connect"]) {
    const { printed, error } = await plug([...words, "--load", load, "--json"]);
    const found = JSON.parse(printed);
    assertEquals([error, found.load, found.connections, found.errors], ["", load, 3, {}]);
    if (load === "stream") assert(found.bytes_in > 0 && found.bytes_out >= found.bytes_in);
    else assert(found.count > 0 && found.latency_ms.p99 >= found.latency_ms.p50);
    assertEquals(typeof found.client_was_bottleneck, "boolean");
  }
  const { printed } = await plug(words);
  assertMatch(printed, /round trips, \d+ a second\n/);
  assertMatch(printed, /p50 .*, p90 .*, p99 .*, p99\.9 /);
  assertMatch(printed, /this client used \d+ % of a core/);
});

Deno.test("errors are counted by kind, and a service that bears nothing is a failure", async () => {
  const { printed, error } = await plug(["127.0.0.1", "9", "--bench", ...SHORT, "--json"]);
  const [[reason, count] = []] = Object.entries(JSON.parse(printed).errors);
  assertMatch(String(reason), /refused/);
  assert(Number(count) >= 3);
  assertMatch(error, /bore nothing/);
});

Deno.test("a service that ends each connection is an error of its own kind", async () => {
  await using server = await TestServer.open("daytime://:0");
  const words = ["127.0.0.1", String(server.port()), "--bench", "--size", "1k", "--json"];
  const { errors } = JSON.parse((await plug([...words, ...SHORT])).printed);
  assert(Object.keys(errors).length > 0);
});
