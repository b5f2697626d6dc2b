/** Whatever changes, deaths and clients come in whatever order: what listens, is listed and told is what should be. */
import { History } from "./history.ts";

/** How many histories; `deno task model` makes many more of them. */
const COUNT = Number(Deno.env.get("OUTLET_HISTORIES") ?? 300);
const FIRST = Number(Deno.env.get("OUTLET_HISTORY") ?? 1);

for (const workers of [0, 3]) {
  const where = workers === 0 ? "one thread" : `${workers} workers`;
  Deno.test(`${COUNT} histories of a server in ${where} come out as the plain list says`, async () => {
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
      try {
        await new History(seed, { workers }).run();
      } catch (error) {
        throw new Error(`OUTLET_HISTORY=${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}
