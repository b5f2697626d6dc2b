import { assert, assertEquals } from "@std/assert";
import { libc } from "../../src/transport/libc.ts";
import { collectGarbage, IdleDetector } from "../../src/server/heap_trim.ts";

// Loaded once per process, so the sanitizer of the first test would report it as a leak.
libc();

const MEGABYTE = 1024 * 1024;

function detections(detector: IdleDetector, megabytes: readonly number[]): boolean[] {
  return megabytes.map((used) => detector.becameIdle(used * MEGABYTE));
}

/** Megabytes in use at seven checks of an idle thread. */
function idle(megabytes: number): number[] {
  return Array.from({ length: 7 }, () => megabytes);
}

Deno.test("a thread becomes idle after a burst of allocations, once they are over for seven checks", () => {
  const detector = new IdleDetector(10 * MEGABYTE);
  assertEquals(detections(detector, [10, 40, 80, ...idle(80.5)]).indexOf(true), 9);
  detector.collected(60 * MEGABYTE);
  assertEquals(detections(detector, idle(60)).indexOf(true), -1);
});

Deno.test("a pause between two bursts is not idle", () => {
  const detector = new IdleDetector(10 * MEGABYTE);
  const bursts = [40, 40.1, 40.1, 40.1, 80, 80.1, 80.1, 80.1, 20, 20, 20, 20];
  assertEquals(detections(detector, bursts).indexOf(true), -1);
});

Deno.test("a thread that allocates little is not collected until the total is large", () => {
  const detector = new IdleDetector(10 * MEGABYTE);
  const slowly = Array.from({ length: 33 }, (_, i) => 10 + (i + 1) / 2);
  assertEquals(detections(detector, slowly).indexOf(true), 31);
});

Deno.test("a collection waits until as much has been allocated as is alive", () => {
  const detector = new IdleDetector(0);
  detector.collected(100 * MEGABYTE);
  assertEquals(detections(detector, [150, ...idle(199)]).indexOf(true), -1);
  assertEquals(detections(detector, [...idle(201), 201]).indexOf(true), 7);
});

Deno.test("a garbage collection shrinks the heap", async () => {
  let objects: unknown[] | undefined = Array.from(
    { length: 200_000 },
    (_, id) => ({ id, of: [id] }),
  );
  const full = Deno.memoryUsage().heapTotal;
  assert(objects.length > 0);
  objects = undefined;
  await collectGarbage();
  assert(Deno.memoryUsage().heapTotal < full, "the heap is as large as before");
});
