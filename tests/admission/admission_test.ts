import { assert, assertEquals } from "@std/assert";
import { Admission } from "../../src/admission/admission.ts";
import { GENERATION_LIMIT, RateLimiter } from "../../src/admission/rate_limiter.ts";

Deno.test("a slot is released once, even if the permit is disposed twice", () => {
  const gate = new Admission({ maxConnections: 1 });
  const first = gate.admit("192.0.2.1");
  assertEquals(first.refusal, undefined);
  assertEquals(gate.admit("192.0.2.2").refusal, "connection limit reached");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals(gate.count, 0);
  assertEquals(gate.admit("192.0.2.2").refusal, undefined);
  assertEquals(gate.admit("192.0.2.2").refusal, "connection limit reached");
});

Deno.test("a refusal takes no slot, and disposing it releases none", () => {
  const gate = new Admission({ maxConnections: 2, maxPerIp: 1 });
  using _inside = gate.admit("192.0.2.1");
  const refused = gate.admit("192.0.2.1");
  assertEquals(refused.refusal, "per-address limit reached");
  refused[Symbol.dispose]();
  assertEquals(gate.count, 1);
});

Deno.test("an IPv6 /64 counts as one address", () => {
  const gate = new Admission({ maxPerIp: 1 });
  using _inside = gate.admit("2001:db8::1");
  assertEquals(gate.admit("2001:db8::2").refusal, "per-address limit reached");
  assertEquals(gate.admit("2001:db8:0:1::1").refusal, undefined);
});

Deno.test("a client must be admitted by the parent, too", () => {
  const behind = new Admission({ maxConnections: 2, deny: ["10.0.0.0/8"] });
  const one = new Admission({ maxConnections: 1 }, { parent: behind });
  const other = new Admission({}, { parent: behind });
  using _first = one.admit("192.0.2.1");
  assertEquals(one.admit("192.0.2.2").refusal, "connection limit reached");
  assertEquals(other.admit("10.0.0.1").refusal, "denied by rule");
  using _second = other.admit("192.0.2.2");
  assertEquals(other.admit("192.0.2.3").refusal, "connection limit reached");
  assertEquals([behind.count, one.count, other.count], [2, 1, 1]);
});

Deno.test("changed limits apply to new clients and close no connection", () => {
  const gate = new Admission({});
  const inside = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((host) => gate.admit(host));
  gate.change({ maxConnections: 2 });
  assertEquals(gate.count, 3);
  inside[0]![Symbol.dispose]();
  assertEquals(gate.admit("192.0.2.4").refusal, "connection limit reached");
  inside[1]![Symbol.dispose]();
  assertEquals(gate.admit("192.0.2.4").refusal, undefined);
});

Deno.test("a waiter is woken by a released slot, by a raised limit, and by an abort", async () => {
  const behind = new Admission({ maxConnections: 1 });
  const gate = new Admission({}, { parent: behind });
  const stop = new AbortController();
  const inside = gate.admit("192.0.2.1");
  const afterLeave = gate.waitForCapacity(stop.signal);
  inside[Symbol.dispose]();
  await afterLeave;
  using _inside = gate.admit("192.0.2.1");
  const afterChange = gate.waitForCapacity(stop.signal);
  behind.change({ maxConnections: 2 });
  await afterChange;
  using _second = gate.admit("192.0.2.2");
  const afterAbort = gate.waitForCapacity(stop.signal);
  stop.abort();
  await afterAbort;
});

Deno.test("a client without an address is only counted", () => {
  const gate = new Admission({ allow: ["10.0.0.0/8"], maxPerIp: 1, maxConnections: 2 });
  using _one = gate.admit(undefined);
  using _two = gate.admit(undefined);
  assertEquals(gate.admit(undefined).refusal, "connection limit reached");
});

Deno.test("a client may connect in a burst, then at the rate", () => {
  const limiter = new RateLimiter({ rate: 2, burst: 3 });
  const granted = (now: number) => limiter.take("peer", now);
  assertEquals([granted(0), granted(0), granted(0), granted(0)], [true, true, true, false]);
  assertEquals([granted(499), granted(500), granted(501)], [false, true, false]);
  assertEquals(limiter.take("other", 501), true);
  assertEquals([1, 2, 3, 4].map(() => granted(60_000)), [true, true, true, false]);
});

Deno.test("a flood of addresses does not grow the rate limiter without bound", () => {
  using limiter = new RateLimiter({ rate: 1, burst: 1 });
  for (let peer = 0; peer < 5 * GENERATION_LIMIT; peer++) {
    limiter.take(`peer ${peer}`, 0);
    // A client that keeps connecting is not evicted in favour of clients that connected once.
    if (peer % 1000 === 0) limiter.take("regular", 0);
  }
  assert(limiter.size <= 2 * GENERATION_LIMIT, `${limiter.size} are kept`);
  assertEquals(limiter.take("regular", 0), false);
});

Deno.test("a bucket is discarded when it has had time to fill, and not before", () => {
  using limiter = new RateLimiter({ rate: 1, burst: 10 });
  for (let i = 0; i < 10; i++) limiter.take("early", 0);
  limiter.take("another", 3_999);
  const granted = Array.from({ length: 10 }, () => limiter.take("early", 4_000));
  assertEquals(granted.filter(Boolean).length, 4, "four seconds after all ten were taken");
  limiter.take("later", 40_000);
  assertEquals(limiter.size, 1);
});

Deno.test("many buckets are discarded even if no more clients connect", async () => {
  using limiter = new RateLimiter({ rate: 1, burst: 1 });
  for (let peer = 0; peer < 2_000; peer++) limiter.take(`peer ${peer}`);
  while (limiter.size > 0) await new Promise((resolve) => setTimeout(resolve, 50));
});
