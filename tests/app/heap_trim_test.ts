import { assert, assertEquals } from "@std/assert";
import type { ServerHandle } from "../../src/server/handle.ts";
import { collectGarbage, IdleDetector } from "../../src/app/heap_trim.ts";

function connections(count: number, { bytes = 0 } = {}): ReturnType<ServerHandle["connections"]> {
  return Array.from({ length: count }, () => ({
    connection: { bytesIn: bytes, bytesOut: bytes },
  })) as unknown as ReturnType<ServerHandle["connections"]>;
}

Deno.test("a server becomes idle once after many connections were opened and nothing moves", () => {
  const detector = new IdleDetector();
  assertEquals(detector.becameIdle(connections(0)), false);
  assertEquals(detector.becameIdle(connections(3000)), false);
  assertEquals(detector.becameIdle(connections(3000, { bytes: 6 })), false);
  assertEquals(detector.becameIdle(connections(3000, { bytes: 6 })), true);
  assertEquals(detector.becameIdle(connections(3000, { bytes: 6 })), false);
});

Deno.test("a server becomes idle after many connections were closed, but not after a few", () => {
  const detector = new IdleDetector();
  for (let call = 0; call < 3; call++) assertEquals(detector.becameIdle(connections(500)), false);
  detector.becameIdle(connections(4000));
  assertEquals(detector.becameIdle(connections(4000)), true);
  assertEquals(detector.becameIdle(connections(0)), false);
  assertEquals(detector.becameIdle(connections(0)), true);
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
