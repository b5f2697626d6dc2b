/** Observers of a server run as long as something needs them. */
import { assertEquals } from "@std/assert";
import { Observers } from "../../src/app/observers.ts";
import { configOf, TestServer } from "../harness/server.ts";

Deno.test("the event loop delay is measured as long as there is a metrics page, also across failed reloads", async () => {
  await using server = await TestServer.open("echo://:0");
  const { eventBus } = server;
  const { options: without } = configOf(["echo://:0"]);
  const { options: withMetrics } = configOf(["echo://:0", "--metrics", ":0"]);
  const { memory } = server.server.loopDelay;
  const isMeasured = () => Atomics.load(memory, 0) !== 0n;

  await using observers = await Observers.open(withMetrics, { eventBus, write: () => {} });
  assertEquals(isMeasured(), false);
  observers.watch(server.server);
  assertEquals(isMeasured(), true);
  await (await observers.prepare(without)).commit();
  assertEquals(isMeasured(), false);
  await (await observers.prepare(withMetrics))[Symbol.asyncDispose]();
  assertEquals(isMeasured(), false);
  await (await observers.prepare(withMetrics)).commit();
  assertEquals(isMeasured(), true);
});
