/**
 * A change without a living worker waits for one, and fails after a number of failed workers, not
 * after a time.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { JoiningWorkers } from "../../src/workers/joining_workers.ts";

Deno.test("a change waits while workers end, and continues with the first one that joins", async () => {
  const joining = new JoiningWorkers();
  let members = 0;
  const change = joining.waitUntil(() => members > 0);
  for (let lost = 0; lost < 9; lost++) joining.lost("out of memory");
  await joining.add(() => Promise.resolve(void members++), (join) => join());
  await change;
  assertEquals(members, 1);
});

Deno.test("a change fails after ten workers in a row have ended, or when the server stops", async () => {
  const joining = new JoiningWorkers();
  const change = joining.waitUntil(() => false);
  for (let lost = 0; lost < 10; lost++) joining.lost("out of memory");
  await assertRejects(
    () => change,
    Error,
    "the last 10 ended before they could serve: out of memory",
  );
  // Later changes count only workers that end while they wait.
  const next = joining.waitUntil(() => false);
  for (let lost = 0; lost < 9; lost++) joining.lost("out of memory");
  joining.stop();
  await assertRejects(() => next, Error, "the server is stopping");
});

Deno.test("at the start, workers that ended before the wait count too", async () => {
  const joining = new JoiningWorkers();
  for (let lost = 0; lost < 10; lost++) joining.lost("out of memory");
  await assertRejects(() => joining.waitUntil(() => false), Error, "no worker can start");
});
