/** Work that is cut into turns lets the event loop run other work in between. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { mapInTurns, nextTurn, TurnBudget } from "../../src/scheduling/turn_budget.ts";

Deno.test("a turn ends after its number of units", async () => {
  const budget = new TurnBudget({ units: 3, milliseconds: Infinity });
  const turns = Array.from({ length: 7 }, () => budget.spend());
  assertEquals(turns.map((turn) => turn !== undefined), [
    false,
    false,
    true,
    false,
    false,
    true,
    false,
  ]);
  await Promise.all(turns);
});

Deno.test("a single unit may use up a turn", async () => {
  const budget = new TurnBudget({ units: 100 });
  const turn = budget.spend(250);
  assert(turn !== undefined);
  await turn;
  assertEquals(budget.spend(), undefined);
});

Deno.test("a turn of slow units ends after its time", async () => {
  const budget = new TurnBudget({ units: Infinity, milliseconds: 0 });
  let units = 0;
  let turn: Promise<void> | undefined;
  while (!turn) {
    units++;
    turn = budget.spend();
  }
  assert(units > 1, "the clock is not read at every unit");
  await turn;
});

Deno.test("a timer runs between two turns of endless work", async () => {
  const budget = new TurnBudget({ units: 10 });
  const seen = { timer: false };
  setTimeout(() => seen.timer = true, 0);
  while (!seen.timer) await budget.spend();
});

Deno.test("each of many waiting tasks gets a turn of its own, in order, with timers in between", async () => {
  const order: string[] = [];
  const turns = ["a", "b", "c"].map(async (name) => {
    await nextTurn();
    order.push(name);
    setTimeout(() => order.push(`timer of ${name}`), 0);
  });
  await Promise.all(turns);
  assertEquals(order.filter((name) => name.length === 1), ["a", "b", "c"]);
  assert(order.indexOf("timer of a") !== -1 && order.indexOf("timer of a") < order.indexOf("c"));
  await nextTurn();
  await nextTurn();
});

Deno.test("a function is called for each item in turns, and its promises are awaited together", async () => {
  const order: string[] = [];
  setTimeout(() => order.push("timer"), 0);
  const results = await mapInTurns([1, 2, 3], { units: 2 }, async (item) => {
    order.push(`${item}`);
    await nextTurn();
    return item * 2;
  });
  assertEquals([results, order], [[2, 4, 6], ["1", "2", "timer", "3"]]);
});

Deno.test("a promise that is rejected before the last item is no unhandled rejection", async () => {
  const work = mapInTurns([1, 2, 3], { units: 1 }, async (item) => {
    if (item === 1) throw new Error("first");
    await nextTurn();
  });
  await assertRejects(() => work, Error, "first");
  for (let turn = 0; turn < 3; turn++) await nextTurn();
});
