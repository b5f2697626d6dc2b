/**
 * `SSLKEYLOGFILE`: where programs write the secrets of TLS for whoever wants to decrypt a capture.
 *
 * @module
 */

const VARIABLE = "SSLKEYLOGFILE";

/** How long before our own first moment the runtime may have made its file, in milliseconds. */
const START = 2_000;

/**
 * Says that secrets cannot be had, where they were asked for. The TLS that is used here hands out none; the runtime
 * makes an empty file at its start all the same, which goes again.
 */
export async function refuseKeyLog(tell: (line: string) => void): Promise<void> {
  const file = Deno.env.get(VARIABLE);
  if (file === undefined) return;
  Deno.env.delete(VARIABLE);
  const { size, birthtime } = await Deno.stat(file).catch(() => ({ size: 0, birthtime: null }));
  const isOurs = birthtime !== null && birthtime.getTime() > performance.timeOrigin - START;
  if (isOurs && size === 0) await Deno.remove(file).catch(() => {});
  tell(`${VARIABLE} is ignored: this TLS library hands out no secrets, and ${file} is not written`);
}
