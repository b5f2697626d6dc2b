/**
 * A change in two steps: what can fail is done first, and undone where something else cannot be had.
 *
 * @module
 */
import type { ServerOptions } from "../config/server_config.ts";

/** A change that is ready. Disposing it undoes it. */
export interface Prepared extends AsyncDisposable {
  /** Makes it hold. It is not disposed any more, then. */
  commit(): Promise<void>;
}

/** Whoever goes along with a change of the config. */
export interface Preparing {
  /**
   * Makes ready what other options ask for, and changes nothing yet.
   *
   * @throws {Error} which says what can't be had
   */
  prepare(options: ServerOptions): Promise<Prepared>;
}

/** Makes all of them ready, or none. */
export async function prepareAll(
  parts: readonly Preparing[],
  options: ServerOptions,
): Promise<Prepared> {
  await using undo = new AsyncDisposableStack();
  const prepared: Prepared[] = [];
  for (const part of parts) prepared.push(undo.use(await part.prepare(options)));
  const made = undo.move();
  return {
    async commit() {
      for (const part of prepared) await part.commit();
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}
