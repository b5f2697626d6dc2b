import { assertEquals } from "@std/assert";
import { Upstream } from "../../src/services/forward/upstream.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 80 };

Deno.test("An upstream is down when an attempt fails, and up when one succeeds", () => {
  const upstream = new Upstream({ address: ADDRESS, tls: false });
  assertEquals({ isUp: upstream.isUp, isDue: upstream.isDue }, { isUp: true, isDue: true });
  assertEquals(upstream.attempt().failed(), true, "it is news");
  assertEquals({ isUp: upstream.isUp, isDue: upstream.isDue }, { isUp: false, isDue: false });
  assertEquals(upstream.attempt().succeeded(), true, "it is news");
  assertEquals({ isUp: upstream.isUp, isDue: upstream.isDue }, { isUp: true, isDue: true });
  assertEquals(upstream.attempt().succeeded(), false, "it is none any more");
});

Deno.test("An upstream is not used for twice as long after each failure, up to a limit", () => {
  const upstream = new Upstream({ address: ADDRESS, tls: false });
  const pauses = Array.from({ length: 9 }, () => {
    upstream.attempt().failed();
    return upstream.pause;
  });
  assertEquals(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  upstream.attempt().succeeded();
  upstream.attempt().failed();
  assertEquals(upstream.pause, 500);
});

Deno.test("Attempts at an upstream that fail together count once", () => {
  const upstream = new Upstream({ address: ADDRESS, tls: false });
  const attempts = Array.from({ length: 100 }, () => upstream.attempt());
  assertEquals(attempts.filter((attempt) => attempt.failed()).length, 1);
  assertEquals(upstream.pause, 500);
});
