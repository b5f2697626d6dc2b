/** One resolver for all: shared, bounded, and never blocked by names without an answer. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Resolver, type ResolverTimes } from "../../src/transport/resolver.ts";

/** A system resolver that answers when the test does. */
class TestSystem {
  /** Pending queries by name, in the order in which they were made. */
  readonly queries = new Map<string, PromiseWithResolvers<readonly string[]>>();
  /** The number of queries. */
  count = 0;
  readonly #news = new Set<() => void>();

  readonly ask = (name: string): Promise<readonly string[]> => {
    const answer = Promise.withResolvers<readonly string[]>();
    this.count++;
    this.queries.set(name, answer);
    for (const look of this.#news) look();
    return answer.promise;
  };

  answer(name: string, ...addresses: string[]): void {
    this.queries.get(name)!.resolve(addresses);
    this.queries.delete(name);
  }

  fail(name: string, code: string): void {
    this.queries.get(name)!.reject(Object.assign(new Error(`getaddrinfo ${code}`), { code }));
    this.queries.delete(name);
  }

  /** Resolves once there is a query for this name. */
  async receivesQuery(name: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => this.queries.has(name) && resolve();
    this.#news.add(look);
    look();
    await promise;
    this.#news.delete(look);
  }
}

function machine(times: Partial<ResolverTimes> = {}): { system: TestSystem; resolver: Resolver } {
  const system = new TestSystem();
  return { system, resolver: new Resolver({ ask: system.ask, times }) };
}

Deno.test("concurrent look-ups of one name share a query, and get the addresses in the system's order", async () => {
  const { system, resolver } = machine();
  const waiting = Array.from({ length: 200 }, () => resolver.lookUp("a.test"));
  assertEquals(resolver.counts.waiting, 200);
  system.answer("a.test", "10.0.0.2", "fd00::1", "10.0.0.1");
  for (const each of await Promise.all(waiting)) {
    assertEquals(each, { addresses: ["10.0.0.2", "fd00::1", "10.0.0.1"], from: "system" });
  }
  assertEquals((await resolver.lookUp("a.test")).from, "cache");
  const { lookups, hits, waiting: still, underWay } = resolver.counts;
  assertEquals([lookups, hits, still, underWay], [1, 1, 0, 0]);
});

Deno.test("at most eight queries run at once, and the ninth starts when one is answered", async () => {
  const { system, resolver } = machine();
  const names = Array.from({ length: 9 }, (_, i) => `${i}.test`);
  const waiting = names.map((name) => resolver.lookUp(name));
  assertEquals([...system.queries.keys()], names.slice(0, 8));
  system.answer("3.test", "10.0.0.3");
  await system.receivesQuery("8.test");
  for (const name of [...system.queries.keys()]) system.answer(name, "10.0.0.9");
  await Promise.all(waiting);
});

/** Makes pending queries fail with the system's time-out error, until there are none. */
async function failPending({ system, resolver }: ReturnType<typeof machine>): Promise<void> {
  while (resolver.counts.underWay > 0) {
    for (const name of [...system.queries.keys()]) system.fail(name, "EAI_AGAIN");
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function lookUpMany(resolver: Resolver, word: string, count: number): Promise<unknown> {
  const each = Array.from({ length: count }, (_, i) => resolver.lookUp(`${word}-${i}.test`));
  return Promise.allSettled(each);
}

Deno.test("60 names without an answer do not delay another", async () => {
  const { system, resolver } = machine({ slot: 1 });
  const unanswered = lookUpMany(resolver, "silent", 60);
  await system.receivesQuery("silent-59.test");
  const quick = resolver.lookUp("quick.test");
  await system.receivesQuery("quick.test");
  system.answer("quick.test", "10.0.0.1");
  assertEquals((await quick).addresses, ["10.0.0.1"]);
  await failPending({ system, resolver });
  await unanswered;
  assertEquals([resolver.counts.unanswered, resolver.counts.failures], [0, 60]);
});

Deno.test("names that timed out before leave threads free for new names, and both for names that were answered", async () => {
  const { system, resolver } = machine({ slot: 1, answer: 0, failure: 0, clientResponse: 1 });
  const known = resolver.lookUp("known.test");
  system.answer("known.test", "10.0.0.1");
  await known;
  const first = lookUpMany(resolver, "silent", 80);
  await system.receivesQuery("silent-79.test");
  await failPending({ system, resolver });
  await first;

  const again = lookUpMany(resolver, "silent", 80);
  await system.receivesQuery("silent-63.test");
  const others = lookUpMany(resolver, "new", 40);
  await system.receivesQuery("new-27.test");
  assertEquals([resolver.counts.underWay, resolver.counts.queued], [92, 28]);
  const asked = resolver.lookUp("known.test");
  await system.receivesQuery("known.test");
  system.answer("known.test", "10.0.0.2");
  assertEquals((await asked).addresses, ["10.0.0.2"]);
  await failPending({ system, resolver });
  await Promise.all([again, others]);
  assertEquals(resolver.counts.queued, 0);
});

Deno.test("a name that gets no thread in time is refused with the reason, and counted", async () => {
  const { system, resolver } = machine({ slot: 60_000, queue: 1 });
  const unanswered = lookUpMany(resolver, "silent", 92);
  await system.receivesQuery("silent-7.test");
  await assertRejects(
    () => resolver.lookUp("late.test"),
    Error,
    "the name was not looked up:",
  );
  assert(resolver.counts.refused > 0);
  await failPending({ system, resolver });
  await unanswered;
});

Deno.test("known addresses are used while name servers do not answer, and after they failed", async () => {
  const { system, resolver } = machine({ answer: 0, failure: 0, clientResponse: 1 });
  const first = resolver.lookUp("a.test");
  system.answer("a.test", "10.0.0.1");
  await first;
  const stale = { addresses: ["10.0.0.1"], from: "stale" };
  assertEquals(await resolver.lookUp("a.test"), stale);
  assertEquals(await resolver.lookUp("a.test"), stale);
  assertEquals(system.count, 2);
  system.fail("a.test", "EAI_AGAIN");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(await resolver.lookUp("a.test"), stale);
  assertEquals(system.count, 3);
  system.answer("a.test", "10.0.0.2");
  await new Promise((resolve) => setTimeout(resolve));
  const last = resolver.lookUp("a.test");
  system.answer("a.test", "10.0.0.3");
  assertEquals((await last).addresses, ["10.0.0.3"]);
});

Deno.test("a name that no longer exists is refused, even if its addresses were known", async () => {
  const { system, resolver } = machine({ answer: 0 });
  const first = resolver.lookUp("a.test");
  system.answer("a.test", "10.0.0.1");
  await first;
  const second = resolver.lookUp("a.test");
  system.fail("a.test", "ENOTFOUND");
  await assertRejects(() => second, Error, "host name not found");
  // The failure is cached for a moment, so there is no query.
  await assertRejects(() => resolver.lookUp("a.test"), Error, "host name not found");
  assertEquals(system.count, 2);
});

Deno.test("an aborted look-up ends at once, and others of the same name continue", async () => {
  const { system, resolver } = machine();
  const abort = new AbortController();
  const given = resolver.lookUp("a.test", { signal: abort.signal });
  const pending = resolver.lookUp("a.test");
  abort.abort(new Error("the client has gone"));
  await assertRejects(() => given, Error, "the client has gone");
  assertEquals(resolver.counts.waiting, 1);
  system.answer("a.test", "10.0.0.1");
  assertEquals((await pending).addresses, ["10.0.0.1"]);
});

Deno.test("the cache is bounded", async () => {
  const { system, resolver } = machine();
  for (let i = 0; i < 1_001; i++) {
    const found = resolver.lookUp(`${i}.test`);
    system.answer(`${i}.test`, "10.0.0.1");
    await found;
  }
  assertEquals((await resolver.lookUp("1000.test")).from, "cache");
  const evicted = resolver.lookUp("0.test");
  system.answer("0.test", "10.0.0.2");
  assertEquals((await evicted).from, "system");
});
