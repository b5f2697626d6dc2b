/**
 * Relays bytes between two connections.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Connection } from "./connection.ts";
import { explain, faultOf, isReset } from "../transport/errors.ts";

/** Bytes that count as a unit of a filter's work. */
const BYTES_PER_UNIT = 1024;

/** The connections that take no more bytes, and the error of each. */
type WriteClosed = Map<Connection, unknown>;

/** Rewrites the bytes of one direction. */
export interface RelayFilter {
  /**
   * What is passed on of these bytes.
   * @throws {Error} why the sender is reset
   */
  pass(bytes: Uint8Array): Uint8Array;
  /** What is passed on before a FIN. */
  end(): Uint8Array;
}

/** The filters of a relay; a direction without one is copied unchanged. */
export interface RelayFilters {
  /** What the client sends. */
  readonly fromClient?: RelayFilter | undefined;
  /** What the upstream sends. */
  readonly fromUpstream?: RelayFilter | undefined;
}

/**
 * Copies bytes in both directions, with backpressure, until both have ended. A FIN is passed on and
 * leaves the other direction open. A reset of one connection resets the other, so that its peer
 * does not take the data for complete.
 */
export async function relay(
  client: Connection,
  upstream: Connection,
  { fromClient, fromUpstream }: RelayFilters = {},
): Promise<void> {
  const writeClosed: WriteClosed = new Map();
  const abort = (broken: Connection, error: unknown) => {
    const reason = broken === client
      ? faultOf(error)
      : isReset(error)
      ? "upstream reset"
      : `error: ${formatAddress(upstream.peer)} failed: ${explain(error)}` as const;
    broken.close(reason);
    (broken === client ? upstream : client).reset(reason);
  };
  await Promise.all([
    pump({ from: client, to: upstream, filter: fromClient, writeClosed, abort }),
    pump({ from: upstream, to: client, filter: fromUpstream, writeClosed, abort }),
  ]);
}

/** One direction, and how to abort both. */
interface Direction {
  readonly from: Connection;
  readonly to: Connection;
  readonly filter: RelayFilter | undefined;
  readonly writeClosed: WriteClosed;
  abort(broken: Connection, error: unknown): void;
}

/**
 * Copies one direction. If the destination takes no more bytes, it may still send, so this is no
 * failure: the input is discarded, because a peer whose data is never read may stop reading, too,
 * and the other direction would never end.
 */
async function pump({ from, to, filter, writeClosed, abort }: Direction): Promise<void> {
  let budget: TurnBudget | undefined;
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      chunk = await from.read();
      if (filter) {
        chunk = await filtered(chunk, { filter, to, budget: budget ??= new TurnBudget() });
      }
    } catch (error) {
      return abort(from, error);
    }
    if (chunk === null) {
      if (writeClosed.has(from)) return abort(from, writeClosed.get(from));
      return await to.closeWrite().catch(() => {});
    }
    if (writeClosed.has(to)) continue;
    try {
      await to.write(chunk);
    } catch (error) {
      writeClosed.set(to, error);
      if (to.peerEnded) return abort(to, error);
    }
  }
}

/** The bytes to pass on; `null` at the end, after the last ones were written. */
async function filtered(
  chunk: Uint8Array | null,
  { filter, to, budget }: { filter: RelayFilter; to: Connection; budget: TurnBudget },
): Promise<Uint8Array | null> {
  if (chunk !== null) {
    budget.begin();
    const passed = filter.pass(chunk);
    await budget.spend(Math.ceil(chunk.length / BYTES_PER_UNIT));
    return passed;
  }
  const last = filter.end();
  // The end that follows fails in the same way.
  if (last.length > 0) await to.write(last).catch(() => {});
  return null;
}
