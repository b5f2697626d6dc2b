/** Outlets that forward to each other in a loop are found without comparing each with each. */
import { assertEquals, assertThrows } from "@std/assert";
import { checkForwardingLoops } from "../../src/config/addresses.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { configOf } from "../harness/server.ts";

Deno.test("of many outlets that forward, only listeners at the port of an upstream are compared with it", () => {
  const { outlets } = configOf(
    Array.from({ length: 100 }, (_, at) => `forward://:${10_000 + at}?to=192.0.2.1:${10_001 + at}`),
  );
  let compared = 0;
  checkForwardingLoops(outlets, () => {
    compared++;
    return false;
  });
  assertEquals(compared, 99);
});

Deno.test("a loop through three outlets is named whole", () => {
  const specs = [1, 2, 3].map((at) => `forward://127.0.0.1:${at}?to=127.0.0.1:${at % 3 + 1}`);
  assertThrows(
    () => configOf(specs),
    UsageError,
    "127.0.0.1:1 → 127.0.0.1:2 → 127.0.0.1:3 → 127.0.0.1:1",
  );
});
