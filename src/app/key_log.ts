/**
 * `SSLKEYLOGFILE`, the file for TLS secrets with which a capture can be decrypted, is not supported.
 *
 * @module
 */

const VARIABLE = "SSLKEYLOGFILE";

/** How long before the program's start the runtime may have created the file, in milliseconds. */
const STARTUP = 2_000;

/**
 * Warns that `SSLKEYLOGFILE` has no effect: the TLS library does not expose its secrets. Deno creates an empty file at
 * its start all the same, which is removed.
 */
export async function refuseKeyLog(log: (line: string) => void): Promise<void> {
  const file = Deno.env.get(VARIABLE);
  if (file === undefined) return;
  Deno.env.delete(VARIABLE);
  const { size, birthtime } = await Deno.stat(file).catch(() => ({ size: 0, birthtime: null }));
  const isOurs = birthtime !== null && birthtime.getTime() > performance.timeOrigin - STARTUP;
  if (isOurs && size === 0) await Deno.remove(file).catch(() => {});
  log(`${VARIABLE} is ignored: this TLS library exposes no secrets, and ${file} is not written`);
}
