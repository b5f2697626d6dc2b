import { assertEquals } from "@std/assert";
import { planChange } from "../../src/server/plan.ts";
import { configOf } from "../harness/server.ts";

/** The plan from these SPECs to those, in SPECs. */
function plan(before: string, after: string): Record<string, string[]> {
  const there = new Map(
    specs(before).map((spec) => {
      const config = configOf([spec]).outlets[0]!;
      return [{ spec, address: config.listen }, config];
    }),
  );
  const asked = specs(after).map((spec) => configOf([spec]).outlets[0]!);
  const { unchanged: kept, removed, added: fresh, rebound: moved } = planChange(there, asked);
  return {
    kept: kept.map(({ outlet }) => outlet.spec),
    removed: removed.map(({ spec }) => spec),
    fresh: fresh.map(({ service }) => service),
    moved: moved.map(({ service }) => service),
  };
}

function specs(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

Deno.test("an outlet that is still asked for is kept, whatever else changes about it", () => {
  assertEquals(plan("echo://:1 chat://:2?room=a", "chat://:2?room=b&rate=3 echo://:1"), {
    kept: ["chat://:2?room=a", "echo://:1"],
    removed: [],
    fresh: [],
    moved: [],
  });
});

Deno.test("outlets that are not asked for go, new ones come", () => {
  assertEquals(plan("echo://:1 chat://:2", "chat://:2 time://:3"), {
    kept: ["chat://:2"],
    removed: ["echo://:1"],
    fresh: ["time"],
    moved: [],
  });
});

for (
  const [change, before, after] of [
    ["another service at the same address", "echo://:1", "time://:1"],
    ["another host at the same port", "time://127.0.0.1:1", "time://0.0.0.0:1"],
    ["another backlog", "time://:1?backlog=5", "time://:1?backlog=6"],
  ] as const
) {
  Deno.test(`${change} waits until the one that is there has gone`, () => {
    assertEquals(plan(before, after), { kept: [], removed: [before], fresh: [], moved: ["time"] });
  });
}

Deno.test("outlets at any free port are told apart by their service", () => {
  const { kept, removed, fresh } = plan("echo://:0 chat://:0", "chat://:0 time://:0");
  assertEquals([kept, removed, fresh], [["chat://:0"], ["echo://:0"], ["time"]]);
});
