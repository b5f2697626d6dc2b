/** A trace of captures that were changed by chance; `deno task fuzz:trace` tries more of them. */
import { assert } from "@std/assert";
import { mutated, sources, traceAny } from "./mutations.ts";

const SEEDS = 600;

Deno.test("Real captures with something changed are shown or refused: no crash, no control character", async () => {
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
  // Changes that leave nothing to be read would try nothing.
  assert(understood > SEEDS / 2, `${understood} of ${SEEDS}`);
});
