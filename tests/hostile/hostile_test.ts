/** Every service and transport has its floods, and the worst of them leave the others be. */
import { assert, assertEquals } from "@std/assert";
import { SERVICES } from "../../src/services/registry.ts";
import { ROOT } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";
import { flood } from "./flood.ts";
import { SURFACES, TRANSPORTS } from "./floods.ts";
import { Subject } from "./subject.ts";

const STOOD_FOR = new Set(SURFACES.flatMap(({ stands }) => stands));

Deno.test("every service has floods", () => {
  assertEquals([...SERVICES.keys()].filter((name) => !STOOD_FOR.has(name)), []);
});

Deno.test("every transport has floods", () => {
  assertEquals(TRANSPORTS.filter((name) => !STOOD_FOR.has(name)), []);
});

Deno.test("every flood is one that there is", async () => {
  const attacks = await Deno.readTextFile(`${ROOT}tests/hostile/attack.py`);
  const missing = SURFACES.flatMap(({ floods }) => floods)
    .filter((kind) => !attacks.includes(`def ${kind}() -> None:`));
  assertEquals(missing, []);
});

/** A second of each of these, in the suite; `deno task hostile` has all of them, for longer. */
const WORST = [
  ["chat", "newlines"],
  ["chat", "commands"],
  ["exec that complains", "newlines"],
  ["metrics", "half_requests"],
  ["TLS", "half_hellos"],
  ["PROXY header", "half_proxy_headers"],
  ["record", "one_byte"],
  ["forward", "resets"],
] as const;

for (const words of [[], ["--workers", "2"]]) {
  const how = words.join(" ") || "one thread";
  testWith(["python3", "sh"], `floods leave the others be (${how})`, async (t) => {
    await using subject = await Subject.start(words);
    for (const [surface, kind] of WORST) {
      await t.step(`${surface}: ${kind}`, async () => {
        const { roundTrips, failures } = await flood(subject, { surface, kind, seconds: 1 });
        assertEquals(failures, []);
        assert(roundTrips > 0);
      });
    }
    assertEquals(await subject.metric("outlet_unexpected_errors_total"), 0);
  });
}
