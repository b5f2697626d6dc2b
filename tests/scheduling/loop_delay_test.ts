/** The delay of the event loop of every thread is measured while something watches it. */
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
  // The sanitizers of this test would report a timer that is still running.
});

Deno.test("the delays of a worker's event loop are included", async () => {
  const loop = new LoopDelay();
  const worker = new Worker(new URL("../harness/blocking_worker.ts", import.meta.url), {
    type: "module",
  });
  worker.postMessage(loop.memory);
  using watch = loop.watch();
  // This thread itself is never blocked for as long, even on a busy machine.
  while (watch.takeLongest() < 1.9) await delay(50);
  worker.terminate();
});

/** Resolves after the next measurement. */
async function oneMore(watch: LoopDelayWatch): Promise<void> {
  const count = () => watch.counts.reduce((sum, count) => sum + count, 0);
  const before = count();
  while (count() === before) await delay(5);
}

function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
