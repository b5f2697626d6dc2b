/**
 * Thousands of connections, of which a page shows a few: what fits a filter, in an order, from here to there.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import { HttpError } from "./http_error.ts";
import type { KernelView } from "./kernel_view.ts";
import type { Visit } from "./server_view.ts";

/** A connection, as pages and programs get it. */
export interface Row {
  /** Its number. */
  readonly id: number;
  /** Its outlet's name. */
  readonly outlet: string;
  /** Where that listens. */
  readonly address: string;
  /** The client's end. */
  readonly peer: string;
  /** Our end. */
  readonly local: string;
  /** What the kernel says of it, such as `ESTABLISHED`; `undefined` where it does not tell. */
  readonly state: string | undefined;
  /** Milliseconds since it was opened. */
  readonly age: number;
  /** Bytes that came from the client. */
  readonly bytesIn: number;
  /** Bytes that went to it. */
  readonly bytesOut: number;
  /** Whether one side has ended its half. */
  readonly halfClosed: boolean;
}

/** What can be sorted by. */
export const SORTABLE = ["id", "outlet", "peer", "state", "age", "bytesIn", "bytesOut"] as const;

/** One of {@linkcode SORTABLE}. */
export type SortKey = typeof SORTABLE[number];

/** A connection as a row. */
export function rowOf({ outlet, connection }: Visit, kernel: KernelView): Row {
  const { id, peer, local, openedAt, bytesIn, bytesOut, halfClosed } = connection;
  return {
    id,
    outlet: outlet.name,
    address: formatAddress(outlet.address),
    peer: formatAddress(peer),
    local: formatAddress(local),
    state: kernel.stateOf({ local, peer }),
    age: Math.round(performance.now() - openedAt),
    bytesIn,
    bytesOut,
    halfClosed,
  };
}

/** The most characters of a filter. */
const LONGEST_FILTER = 200;

/**
 * The rows that a filter lets through: each of its words stands somewhere in the row; `#12` is its number, and nothing
 * else.
 *
 * @throws {HttpError} with status 400 where the filter is too long
 */
export function readFilter(filter: string): (row: Row) => boolean {
  const words = filterWords(filter);
  if (words.length === 0) return () => true;
  return ({ id, outlet, address, peer, state = "" }) => {
    const text = `${outlet} ${address} ${peer} ${state}`.toLowerCase();
    return words.every((word) => word.startsWith("#") ? `#${id}` === word : text.includes(word));
  };
}

/**
 * The words of a filter, in lower case.
 *
 * @throws {HttpError} with status 400 where it is too long
 */
export function filterWords(filter: string): readonly string[] {
  if (filter.length > LONGEST_FILTER) {
    const message = `filter: expected at most ${LONGEST_FILTER} characters`;
    throw new HttpError(400, message, { field: "filter" });
  }
  return [...new Set(filter.toLowerCase().split(/\s+/))].filter((word) => word !== "");
}

/** The rows in order; `descending` turns it round. Rows that are alike stay in the order of their numbers. */
export function inOrder(
  rows: readonly Row[],
  { key, descending }: { key: SortKey; descending: boolean },
): Row[] {
  const turn = descending ? -1 : 1;
  return rows.toSorted((a, b) => turn * compare(a[key] ?? "", b[key] ?? "") || a.id - b.id);
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : Number(a > b);
}
