/**
 * Changes in two phases, as in a two-phase commit: `prepare` may fail and be undone, `commit` may not.
 *
 * @module
 */
import type { ServerOptions } from "../config/server_config.ts";

/** A prepared change. Disposing it undoes it. */
export interface Prepared extends AsyncDisposable {
  /** Applies the change. It must not be disposed afterwards. */
  commit(): Promise<void>;
}

/** Something that changes with the server's options. */
export interface Preparing {
  /**
   * Prepares a change to other options, without any effect yet.
   *
   * @throws {Error} which says what cannot be done
   */
  prepare(options: ServerOptions): Promise<Prepared>;
}

/** Prepares all parts, or none. */
export async function prepareAll(
  parts: readonly Preparing[],
  options: ServerOptions,
): Promise<Prepared> {
  await using undo = new AsyncDisposableStack();
  const prepared: Prepared[] = [];
  for (const part of parts) prepared.push(undo.use(await part.prepare(options)));
  const all = undo.move();
  return {
    async commit() {
      for (const part of prepared) await part.commit();
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
