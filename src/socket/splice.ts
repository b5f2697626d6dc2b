/**
 * Two connections, one conversation.
 *
 * @module
 */
import { formatAddress } from "./address.ts";
import type { Connection } from "./connection.ts";
import { explain, faultOf } from "./faults.ts";

/**
 * Carries bytes both ways, each at the pace of whoever reads them, until both directions have ended. The end
 * of one half is passed on, and leaves the other open. When one of the two breaks off, both are hung up.
 */
export async function splice(one: Connection, other: Connection): Promise<void> {
  await Promise.all([carry(one, other), carry(other, one)]);
}

/** One direction. Whoever no longer takes anything may still have something to say, so that is no failure. */
async function carry(from: Connection, to: Connection): Promise<void> {
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      chunk = await from.read();
    } catch (error) {
      from.hangUp(faultOf(error));
      to.hangUp(`error: ${formatAddress(from.peer)} broke off: ${explain(error)}`);
      return;
    }
    try {
      if (chunk === null) return await to.closeWrite();
      await to.write(chunk);
    } catch {
      return;
    }
  }
}
