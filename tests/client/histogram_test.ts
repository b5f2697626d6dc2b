import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Histogram } from "../../src/client/histogram.ts";

Deno.test("quantiles are correct to 1 % in constant memory", () => {
  const histogram = new Histogram();
  const times = Array.from({ length: 10_000 }, (_, i) => 0.001 * 1.0015 ** i);
  for (const time of times) histogram.record(time);
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = times[Math.ceil(share * times.length) - 1]!;
    const found = histogram.quantile(share);
    assert(Math.abs(found - exact) <= Math.max(exact * 0.01, 0.001), `${share}: ${found} ${exact}`);
  }
  assertEquals([histogram.min, histogram.max], [times[0], times.at(-1)]);
  const mean = times.reduce((sum, time) => sum + time) / times.length;
  assertAlmostEquals(histogram.mean, mean, mean * 1e-9);
});

Deno.test("a histogram may be empty, or have one value", () => {
  const histogram = new Histogram();
  assertEquals(histogram.bars(), []);
  assert(Number.isNaN(histogram.quantile(0.5)));
  histogram.record(3);
  assertEquals([histogram.quantile(0), histogram.quantile(0.5), histogram.quantile(1)], [3, 3, 3]);
  assertEquals(histogram.bars().length, 1);
});

Deno.test("the bars count every value once", () => {
  const histogram = new Histogram();
  for (let i = 1; i <= 1000; i++) histogram.record(i / 10);
  const counts = histogram.bars().map((bar) => Number(bar.split(" ").at(-1)));
  assertEquals(counts.reduce((sum, count) => sum + count), 1000);
});
