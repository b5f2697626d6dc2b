/**
 * Closes stdout before the process ends, which Deno cannot: `Deno.stdout.close()` leaves the descriptor open.
 *
 * @module
 */
import { libc } from "../transport/libc.ts";

/**
 * Closes stdout, so that its reader sees the end. It stays open if it is also stdin or stderr, such as a terminal, and
 * without libc or `/proc`.
 */
export async function closeStdout(): Promise<void> {
  const system = libc();
  const own = linkOf("1");
  if (!system || own === undefined || own === linkOf("0") || own === linkOf("2")) return;
  using _nothing = await Deno.open("/dev/null", { write: true });
  const names = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name);
  const nothing = names.find((name) => linkOf(name) === "/dev/null");
  if (nothing === undefined) return;
  // The runtime has a copy of the descriptor. Both stay valid, so their numbers are not used again.
  for (const name of names) {
    if (linkOf(name) === own) system.dup2(Number(nothing), Number(name));
  }
}

/** What a descriptor refers to, if that is known. */
function linkOf(descriptor: string): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}
