/**
 * Counters shared by workers never exceed the limit or fall below zero, and slots are released
 * once.
 */
import { assertEquals } from "@std/assert";
import {
  admitSlot,
  countersOf,
  reclaim,
  sharedLimits,
  Shares,
} from "../../src/workers/shared_counters.ts";

const COUNT = 2;
const slot = (index: number, share: number) => ({ index, count: COUNT, share });

Deno.test("a late release of a dead worker does not change the counters of others", () => {
  const limits = sharedLimits(COUNT);
  const [dying, living] = [countersOf(limits, slot(0, 0)), countersOf(limits, slot(1, 1))];
  for (const { active, perAddress } of [dying, dying, living]) {
    active!.acquire();
    perAddress!.enter("peer");
  }
  reclaim(limits, slot(0, 0));
  reclaim(limits, slot(0, 0));
  assertEquals([living.active!.count, living.perAddress!.count("peer")], [1, 1]);
  dying.active!.release();
  dying.perAddress!.leave("peer");
  assertEquals([living.active!.count, living.perAddress!.count("peer")], [1, 1]);
  assertEquals(dying.active!.acquire(), false);
  assertEquals(living.active!.count, 1);
  living.active!.release();
  living.active!.release();
  assertEquals(living.active!.count, 0);
});

Deno.test("the replacement of a worker counts from zero, in a share that no other worker uses", () => {
  const limits = sharedLimits(COUNT);
  const shares = new Shares(COUNT);
  const [first, second] = [shares.acquire()!, shares.acquire()!];
  const before = countersOf(limits, slot(0, first));
  before.active!.acquire();
  reclaim(limits, slot(0, first));
  shares.release(first);
  const next = slot(0, shares.acquire()!);
  assertEquals([first, second].includes(next.share), false);
  admitSlot(limits, next);
  const after = countersOf(limits, next);
  assertEquals([after.active!.acquire(), after.active!.count], [true, 1]);
  before.active!.release();
  assertEquals(after.active!.count, 1);
});
