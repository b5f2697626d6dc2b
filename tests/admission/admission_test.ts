import { assert, assertEquals } from "@std/assert";
import { Admission } from "../../src/admission/admission.ts";
import { GENERATION_LIMIT, RateLimiter } from "../../src/admission/rate_limiter.ts";

Deno.test("a slot is released once, even if the permit is disposed twice", () => {
  const admission = new Admission({ maxConnections: 1 });
  const first = admission.admit("192.0.2.1");
  assertEquals(first.refusal, undefined);
  assertEquals(admission.admit("192.0.2.2").refusal, "connection limit reached");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals(admission.count, 0);
  assertEquals(admission.admit("192.0.2.2").refusal, undefined);
  assertEquals(admission.admit("192.0.2.2").refusal, "connection limit reached");
});

Deno.test("a refusal takes no slot, and disposing it releases none", () => {
  const admission = new Admission({ maxConnections: 2, maxPerIp: 1 });
  using _inside = admission.admit("192.0.2.1");
  const refused = admission.admit("192.0.2.1");
  assertEquals(refused.refusal, "per-address limit reached");
  refused[Symbol.dispose]();
  assertEquals(admission.count, 1);
});

Deno.test("an IPv6 /64 counts as one address", () => {
  const admission = new Admission({ maxPerIp: 1 });
  using _inside = admission.admit("2001:db8::1");
  assertEquals(admission.admit("2001:db8::2").refusal, "per-address limit reached");
  assertEquals(admission.admit("2001:db8:0:1::1").refusal, undefined);
});

Deno.test("a client must be admitted by the parent, too", () => {
  const parent = new Admission({ maxConnections: 2, deny: ["10.0.0.0/8"] });
  const one = new Admission({ maxConnections: 1 }, { parent });
  const other = new Admission({}, { parent });
  using _first = one.admit("192.0.2.1");
  assertEquals(one.admit("192.0.2.2").refusal, "connection limit reached");
  assertEquals(other.admit("10.0.0.1").refusal, "denied by rule");
  using _second = other.admit("192.0.2.2");
  assertEquals(other.admit("192.0.2.3").refusal, "connection limit reached");
  assertEquals([parent.count, one.count, other.count], [2, 1, 1]);
});

Deno.test("changed limits apply to new clients and close no connection", () => {
  const admission = new Admission({});
  const permits = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((host) => admission.admit(host));
  admission.change({ maxConnections: 2 });
  assertEquals(admission.count, 3);
  permits[0]![Symbol.dispose]();
  assertEquals(admission.admit("192.0.2.4").refusal, "connection limit reached");
  permits[1]![Symbol.dispose]();
  assertEquals(admission.admit("192.0.2.4").refusal, undefined);
});

Deno.test("a waiter is woken by a released slot, by a raised limit, and by an abort", async () => {
  const parent = new Admission({ maxConnections: 1 });
  const admission = new Admission({}, { parent });
  const stop = new AbortController();
  const permit = admission.admit("192.0.2.1");
  const afterLeave = admission.waitForCapacity(stop.signal);
  permit[Symbol.dispose]();
  await afterLeave;
  using _inside = admission.admit("192.0.2.1");
  const afterChange = admission.waitForCapacity(stop.signal);
  parent.change({ maxConnections: 2 });
  await afterChange;
  using _second = admission.admit("192.0.2.2");
  const afterAbort = admission.waitForCapacity(stop.signal);
  stop.abort();
  await afterAbort;
});

Deno.test("a client without an address is only counted", () => {
  const admission = new Admission({ allow: ["10.0.0.0/8"], maxPerIp: 1, maxConnections: 2 });
  using _one = admission.admit(undefined);
  using _two = admission.admit(undefined);
  assertEquals(admission.admit(undefined).refusal, "connection limit reached");
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
