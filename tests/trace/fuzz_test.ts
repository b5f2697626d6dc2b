/** Traces of randomly modified captures; `deno task fuzz:trace` runs more of them. */
import { assert } from "@std/assert";
import { mutated, sources, traceAny } from "./mutations.ts";

const SEEDS = 600;

Deno.test("Randomly modified captures are shown or refused without a crash or control character", async () => {
  const files = sources();
  let understood = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      const shown = await traceAny(mutated(files, seed), seed);
      if (/SYN|verdict|established/.test(shown)) understood += 1;
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  // Most modified captures must still hold packets to decode.
  assert(understood > SEEDS / 2, `${understood} of ${SEEDS}`);
});
