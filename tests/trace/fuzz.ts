/**
 * `deno task fuzz:trace [COUNT] [SEED]`: traces randomly modified captures, and prints the seed of
 * one that makes the trace fail, hang, or print a control character.
 *
 * @module
 */
import type { Progress } from "./fuzz_worker.ts";

/** Time limit of one capture in milliseconds, on a loaded machine. */
const HANG_TIMEOUT = 60_000;

await runFuzz(Number(Deno.args[0] ?? 100_000), Number(Deno.args[1] ?? 1));

/** Runs the fuzzer in a worker, since a hang can only be detected from outside. */
async function runFuzz(count: number, first: number): Promise<void> {
  const worker = new Worker(new URL("fuzz_worker.ts", import.meta.url), { type: "module" });
  const over = Promise.withResolvers<string | undefined>();
  let seed = first;
  const onHang = () => over.resolve(`seed ${seed}: nothing for ${HANG_TIMEOUT / 1000} s`);
  let timer = setTimeout(onHang, HANG_TIMEOUT);
  worker.onmessage = ({ data }: MessageEvent<Progress>) => {
    clearTimeout(timer);
    timer = setTimeout(onHang, HANG_TIMEOUT);
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
