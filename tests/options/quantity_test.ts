import { assertEquals } from "@std/assert";
import {
  formatDuration,
  formatPercent,
  formatSize,
  parseDuration,
  parseSize,
} from "../../src/options/quantity.ts";

Deno.test("durations are parsed with their unit, and a bare number is seconds", () => {
  const read = ["500ms", "30s", "5m", "2h", "1d", "10", "1.5s", "0"].map(parseDuration);
  assertEquals(read, [500, 30_000, 300_000, 7_200_000, 86_400_000, 10_000, 1500, 0]);
});

Deno.test("an invalid duration, or one too long for a timer, is undefined", () => {
  const read = ["", "s", "-1", "5 s", "5x", "1e3", "30d", "∞"].map(parseDuration);
  assertEquals(read, Array(8).fill(undefined));
});

Deno.test("sizes are parsed in multiples of 1024", () => {
  const read = ["0", "4096", "64k", "16M", "1G", "1.5KiB", "2mb", "7b"].map(parseSize);
  assertEquals(read, [0, 4096, 65536, 16777216, 1073741824, 1536, 2097152, 7]);
});

Deno.test("an invalid size is undefined", () => {
  assertEquals(
    ["", "k", "-1", "1 k", "1t", "9999999999G"].map(parseSize),
    Array(6).fill(undefined),
  );
});

Deno.test("durations are formatted in the unit that people would use", () => {
  const formatted = [0.34, 12.34, 4200, 200_000, 18_120_000, 187_200_000].map(formatDuration);
  assertEquals(formatted, ["340 µs", "12.3 ms", "4.20 s", "3m 20s", "5h 2m", "2d 4h"]);
});

Deno.test("sizes are formatted in the unit that people would use", () => {
  const formatted = [0, 999, 1229, 3650722201].map(formatSize);
  assertEquals(formatted, ["0 B", "999 B", "1.20 KiB", "3.40 GiB"]);
});

Deno.test("a value that rounds up to the next unit is formatted in that, without an exponent", () => {
  const formatted = [0.9996, 999.4, 999.6, 59_940, 59_999, 3_599_999, 86_399_999].map(
    formatDuration,
  );
  assertEquals(formatted, ["1.00 ms", "999 ms", "1.00 s", "59.9 s", "1m 0s", "1h 0m", "1d 0h"]);
  assertEquals([1023.9, 1024 * 999.6].map(formatSize), ["1.00 KiB", "0.976 MiB"]);
});

Deno.test("a share below 1 is never formatted as 100 %, nor one above 0 as 0 %", () => {
  const formatted = [0, 0.00001, 0.3333, 0.99999, 1].map(formatPercent);
  assertEquals(formatted, ["0.00 %", "under 0.01 %", "33.3 %", "99.9 %", "100 %"]);
});

Deno.test("durations from a microsecond to a day are formatted without exponents and without 60 s", () => {
  for (let time = 0.001; time < 1e8; time *= 1.0007) {
    assertEquals(/e|60\.0 s|1000 |\b60s|\b60m|24h/.test(formatDuration(time)), false, `${time}`);
  }
});
