/** What holds the event loop up is measured, in every thread, as long as somebody looks. */
import { assert } from "@std/assert";
import { delay } from "@std/async/delay";
import { LoopDelay, type LoopDelayWatch } from "../../src/scheduling/loop_delay.ts";

Deno.test("a blocked event loop shows in the longest delay, which is then reset", async () => {
  const loop = new LoopDelay();
  using watch = loop.watch();
  await oneMore(watch);
  block(2_000);
  await oneMore(watch);
  assert(watch.takeLongest() > 1.9);
  assert(watch.takeLongest() < 1.9, "nothing has blocked since");
  assert(watch.sum > 1.9);
});

Deno.test("each watcher has its own longest delay, and without watchers there is no timer", async () => {
  const loop = new LoopDelay();
  using one = loop.watch();
  using other = loop.watch();
  await oneMore(one);
  block(200);
  await oneMore(one);
  assert(one.takeLongest() > 0.19);
  assert(other.takeLongest() > 0.19);
  // The sanitizer of this test would tell of a timer that went on.
});

Deno.test("the delays of a worker's event loop are included", async () => {
  const loop = new LoopDelay();
  const worker = new Worker(new URL("../harness/blocking_worker.ts", import.meta.url), {
    type: "module",
  });
  worker.postMessage(loop.memory);
  using watch = loop.watch();
  // This thread is not blocked for as long, however busy the machine is.
  while (watch.takeLongest() < 1.9) await delay(50);
  worker.terminate();
});

/** Resolves once one more delay has been measured. */
async function oneMore(watch: LoopDelayWatch): Promise<void> {
  const count = () => watch.counts.reduce((sum, count) => sum + count, 0);
  const before = count();
  while (count() === before) await delay(5);
}

function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
