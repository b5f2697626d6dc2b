/**
 * After any sequence of changes, deaths of workers and clients, sockets, list and events match the
 * model.
 */
import { History } from "./history.ts";

/** The number of histories; `deno task model` runs many more. */
const COUNT = Number(Deno.env.get("OUTLET_HISTORIES") ?? 300);
const FIRST = Number(Deno.env.get("OUTLET_HISTORY") ?? 1);

for (const workers of [0, 3]) {
  const where = workers === 0 ? "one thread" : `${workers} workers`;
  Deno.test(`${COUNT} histories of a server in ${where} match the model`, async () => {
    for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
      try {
        await new History(seed, { workers }).run();
      } catch (error) {
        throw new Error(`OUTLET_HISTORY=${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}
