/**
 * Two connections, one conversation.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Connection } from "./connection.ts";
import { explain, faultOf, isReset } from "../transport/errors.ts";

/** Who takes nothing any more, and what the system said of it. */
type WriteClosed = Map<Connection, unknown>;

/**
 * Carries bytes both ways, each at the pace of whoever reads them, until both directions have ended. The end
 * of one half is passed on, and leaves the other open; so is a reset: when one of the two breaks off, the other is cut
 * off as well, and takes what came before for no whole conversation.
 */
export async function relay(client: Connection, upstream: Connection): Promise<void> {
  const writeClosed: WriteClosed = new Map();
  const cut = (broken: Connection, error: unknown) => {
    const reason = broken === client
      ? faultOf(error)
      : isReset(error)
      ? "upstream reset"
      : `error: ${formatAddress(upstream.peer)} failed: ${explain(error)}` as const;
    broken.close(reason);
    (broken === client ? upstream : client).reset(reason);
  };
  await Promise.all([
    pump({ from: client, to: upstream, writeClosed, cut }),
    pump({ from: upstream, to: client, writeClosed, cut }),
  ]);
}

/** One direction, and what is done when somebody has broken off. */
interface Direction {
  readonly from: Connection;
  readonly to: Connection;
  readonly writeClosed: WriteClosed;
  cut(broken: Connection, error: unknown): void;
}

/**
 * One direction. Whoever no longer takes anything may still have something to say, so that is no failure. What was
 * meant for it is read away: a sender that nobody reads may take nothing either, and what is still to be said to it
 * would never end.
 */
async function pump({ from, to, writeClosed, cut }: Direction): Promise<void> {
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      chunk = await from.read();
    } catch (error) {
      return cut(from, error);
    }
    if (chunk === null) {
      if (writeClosed.has(from)) return cut(from, writeClosed.get(from));
      return await to.closeWrite().catch(() => {});
    }
    if (writeClosed.has(to)) continue;
    try {
      await to.write(chunk);
    } catch (error) {
      writeClosed.set(to, error);
      if (to.peerEnded) return cut(to, error);
    }
  }
}
