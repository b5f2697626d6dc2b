/**
 * The worker of `fuzz.ts`: traces one modified capture after another.
 *
 * @module
 */
import { mutated, sources, traceAny } from "./mutations.ts";

/** Progress, or a failure. */
export type Progress =
  | { readonly seed: number }
  | { readonly failed: number; readonly why: string }
  | "done";

interface Scope {
  onmessage: ((event: MessageEvent<{ count: number; first: number }>) => void) | null;
  postMessage(progress: Progress): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = async ({ data }) => {
  const files = sources();
  for (let seed = data.first; seed < data.first + data.count; seed += 1) {
    if (seed % 100 === 0) scope.postMessage({ seed });
    try {
      await traceAny(mutated(files, seed), seed);
    } catch (error) {
      return scope.postMessage({ failed: seed, why: (error as Error).stack ?? String(error) });
    }
  }
  scope.postMessage("done");
};
