import { assertEquals } from "@std/assert";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from "../../src/options/quantity.ts";

Deno.test("durations are read with their unit, and a bare number is seconds", () => {
  const read = ["500ms", "30s", "5m", "2h", "1d", "10", "1.5s", "0"].map(parseDuration);
  assertEquals(read, [500, 30_000, 300_000, 7_200_000, 86_400_000, 10_000, 1500, 0]);
});

Deno.test("what is no duration, or too long for a timer, reads as nothing", () => {
  const read = ["", "s", "-1", "5 s", "5x", "1e3", "30d", "∞"].map(parseDuration);
  assertEquals(read, Array(8).fill(undefined));
});

Deno.test("sizes are read in 1024s", () => {
  const read = ["0", "4096", "64k", "16M", "1G", "1.5KiB", "2mb", "7b"].map(parseSize);
  assertEquals(read, [0, 4096, 65536, 16777216, 1073741824, 1536, 2097152, 7]);
});

Deno.test("what is no size reads as nothing", () => {
  assertEquals(
    ["", "k", "-1", "1 k", "1t", "9999999999G"].map(parseSize),
    Array(6).fill(undefined),
  );
});

Deno.test("durations are told in the unit that people would use", () => {
  const told = [0.34, 12.34, 4200, 200_000, 18_120_000, 187_200_000].map(formatDuration);
  assertEquals(told, ["340 µs", "12.3 ms", "4.20 s", "3m 20s", "5h 2m", "2d 4h"]);
});

Deno.test("sizes are told in the unit that people would use", () => {
  const told = [0, 999, 1229, 3650722201].map(formatSize);
  assertEquals(told, ["0 B", "999 B", "1.20 KiB", "3.40 GiB"]);
});
