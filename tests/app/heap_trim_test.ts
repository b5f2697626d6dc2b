import { assert, assertEquals } from "@std/assert";
import type { ServerHandle } from "../../src/server/handle.ts";
import { collectGarbage, IdleDetector } from "../../src/app/heap_trim.ts";

function connections(count: number, { bytes = 0 } = {}): ReturnType<ServerHandle["connections"]> {
  return Array.from({ length: count }, () => ({
    connection: { bytesIn: bytes, bytesOut: bytes },
  })) as unknown as ReturnType<ServerHandle["connections"]>;
}

Deno.test("a crowd that has come rests once nothing moves, and is told of once", () => {
  const crowd = new IdleDetector();
  assertEquals(crowd.rests(connections(0)), false);
  assertEquals(crowd.rests(connections(3000)), false);
  assertEquals(crowd.rests(connections(3000, { bytes: 6 })), false);
  assertEquals(crowd.rests(connections(3000, { bytes: 6 })), true);
  assertEquals(crowd.rests(connections(3000, { bytes: 6 })), false);
});

Deno.test("a crowd that has gone is told of, and a few are no crowd", () => {
  const crowd = new IdleDetector();
  for (let look = 0; look < 3; look++) assertEquals(crowd.rests(connections(500)), false);
  crowd.rests(connections(4000));
  assertEquals(crowd.rests(connections(4000)), true);
  assertEquals(crowd.rests(connections(0)), false);
  assertEquals(crowd.rests(connections(0)), true);
});

Deno.test("what nobody needs any more is given back when it is asked for", async () => {
  let crowd: unknown[] | undefined = Array.from({ length: 200_000 }, (_, id) => ({ id, of: [id] }));
  const full = Deno.memoryUsage().heapTotal;
  assert(crowd.length > 0);
  crowd = undefined;
  await collectGarbage();
  assert(Deno.memoryUsage().heapTotal < full, "the heap is as large as before");
});
