/**
 * Two connections, one conversation.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Connection } from "./connection.ts";
import { explain, faultOf } from "../transport/errors.ts";

/** Who takes nothing any more, and what the system said of it. */
type WriteClosed = Map<Connection, unknown>;

/**
 * Carries bytes both ways, each at the pace of whoever reads them, until both directions have ended. The end
 * of one half is passed on, and leaves the other open. When one of the two breaks off, both are hung up.
 */
export async function relay(one: Connection, other: Connection): Promise<void> {
  const deaf: WriteClosed = new Map();
  await Promise.all([pump(one, other, deaf), pump(other, one, deaf)]);
}

/**
 * One direction. Whoever no longer takes anything may still have something to say, so that is no failure. What was
 * meant for it is read away: a sender that nobody reads may take nothing either, and what is still to be said to it
 * would never end.
 */
async function pump(from: Connection, to: Connection, deaf: WriteClosed): Promise<void> {
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      chunk = await from.read();
    } catch (error) {
      return brokeOff(from, { from: to, error });
    }
    if (chunk === null) {
      if (deaf.has(from)) return brokeOff(from, { from: to, error: deaf.get(from) });
      return await to.closeWrite().catch(() => {});
    }
    if (deaf.has(to)) continue;
    try {
      await to.write(chunk);
    } catch (error) {
      deaf.set(to, error);
      if (to.peerEnded) return brokeOff(to, { from, error });
    }
  }
}

/** Hangs up on both when one has gone from the other. */
function brokeOff(gone: Connection, { from, error }: { from: Connection; error: unknown }): void {
  gone.close(faultOf(error));
  from.close(`error: ${formatAddress(gone.peer)} broke off: ${explain(error)}`);
}
