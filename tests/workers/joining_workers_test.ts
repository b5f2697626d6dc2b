/** A change that finds no worker alive waits for one: it counts those that end meanwhile, and no seconds. */
import { assertEquals, assertRejects } from "@std/assert";
import { JoiningWorkers } from "../../src/workers/joining_workers.ts";

Deno.test("a change waits while workers end, and goes on with the first one that joins", async () => {
  const joining = new JoiningWorkers();
  let members = 0;
  const change = joining.waitUntil(() => members > 0);
  for (let lost = 0; lost < 19; lost++) joining.lost();
  await joining.add(() => Promise.resolve(void members++), (join) => join());
  await change;
  assertEquals(members, 1);
});

Deno.test("a change fails where twenty workers end one after the other, or the server stops", async () => {
  const joining = new JoiningWorkers();
  const change = joining.waitUntil(() => false);
  for (let lost = 0; lost < 20; lost++) joining.lost();
  await assertRejects(() => change, Error, "the last 20 ended before they could serve");
  const next = joining.waitUntil(() => false);
  joining.stop();
  await assertRejects(() => next, Error, "the server is stopping");
});
