/**
 * `deno task fuzz:trace [COUNT] [SEED]`: has a trace read captures that were changed by chance, and
 * tells the seed of one that makes it fail, stand still, or print a control character.
 *
 * @module
 */
import type { Progress } from "./fuzz_worker.ts";

/** So long may one capture take, in milliseconds, on a machine that is busy with others. */
const STANDSTILL = 60_000;

await runFuzz(Number(Deno.args[0] ?? 100_000), Number(Deno.args[1] ?? 1));

/** Watches a worker at it: only from outside can it be told that nothing goes on. */
async function runFuzz(count: number, first: number): Promise<void> {
  const worker = new Worker(new URL("fuzz_worker.ts", import.meta.url), { type: "module" });
  const over = Promise.withResolvers<string | undefined>();
  let seed = first;
  const standsStill = () => over.resolve(`seed ${seed}: nothing for ${STANDSTILL / 1000} s`);
  let timer = setTimeout(standsStill, STANDSTILL);
  worker.onmessage = ({ data }: MessageEvent<Progress>) => {
    clearTimeout(timer);
    timer = setTimeout(standsStill, STANDSTILL);
    if (data === "done") over.resolve(undefined);
    else if ("failed" in data) over.resolve(`seed ${data.failed}: ${data.why}`);
    else seed = data.seed;
  };
  worker.onerror = (event) => {
    event.preventDefault();
    over.resolve(`after seed ${seed}: ${event.message}`);
  };
  worker.postMessage({ count, first });
  const fault = await over.promise;
  clearTimeout(timer);
  worker.terminate();
  console.log(
    fault ?? `${count} captures from seed ${first} on: no crash, no standstill, no escape`,
  );
  if (fault !== undefined) Deno.exit(1);
}
