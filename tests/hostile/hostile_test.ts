/**
 * Every service and transport has floods; the most important ones are also tests in
 * `tests/e2e/hostile/`.
 */
import { assertEquals } from "@std/assert";
import { SERVICES } from "../../src/services/registry.ts";
import { ROOT } from "../harness/program.ts";
import { SURFACES, TRANSPORTS } from "./floods.ts";

const COVERED = new Set(SURFACES.flatMap(({ covers }) => covers));

Deno.test("every service has floods", () => {
  assertEquals([...SERVICES.keys()].filter((name) => !COVERED.has(name)), []);
});

Deno.test("every transport has floods", () => {
  assertEquals(TRANSPORTS.filter((name) => !COVERED.has(name)), []);
});

Deno.test("every flood is a function of attack.py", async () => {
  const attacks = await Deno.readTextFile(`${ROOT}tests/hostile/attack.py`);
  const missing = SURFACES.flatMap(({ floods }) => floods)
    .filter((kind) => !attacks.includes(`def ${kind}() -> None:`));
  assertEquals(missing, []);
});
