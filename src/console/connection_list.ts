/**
 * Filtering, sorting and paging of connections.
 *
 * @module
 */
import { formatAddress, isUdp } from "../endpoint/address.ts";
import { HttpError } from "./http_error.ts";
import type { KernelView } from "./kernel_view.ts";
import type { ConnectionEntry } from "./server_view.ts";

/** A connection in the API. */
export interface Row {
  /** Its number. */
  readonly id: number;
  /** The name of its outlet. */
  readonly outlet: string;
  /** The address of its outlet. */
  readonly address: string;
  /** The client's address. */
  readonly peer: string;
  /** The local address. */
  readonly local: string;
  /** The kernel's TCP state, such as `ESTABLISHED`, or `UDP`; `undefined` if it is not known. */
  readonly state: string | undefined;
  /** Its age in milliseconds. */
  readonly age: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** Bytes sent. */
  readonly bytesOut: number;
  /** Over UDP, the number of datagrams received. */
  readonly datagramsIn?: number | undefined;
  /** Over UDP, the number of datagrams sent. */
  readonly datagramsOut?: number | undefined;
  /** Whether at least one side has sent its FIN. */
  readonly halfClosed: boolean;
}

/** The sort keys. */
export const SORTABLE = ["id", "outlet", "peer", "state", "age", "bytesIn", "bytesOut"] as const;

/** One of {@linkcode SORTABLE}. */
export type SortKey = typeof SORTABLE[number];

/** The row of a connection. */
export function rowOf({ outlet, connection }: ConnectionEntry, kernel: KernelView): Row {
  const { id, peer, local, openedAt, bytesIn, bytesOut, halfClosed, datagramsIn, datagramsOut } =
    connection;
  return {
    id,
    outlet: outlet.name,
    address: formatAddress(outlet.address),
    peer: formatAddress(peer),
    local: formatAddress(local),
    state: isUdp(outlet.address) ? "UDP" : kernel.stateOf({ local, peer }),
    age: Math.round(performance.now() - openedAt),
    bytesIn,
    bytesOut,
    datagramsIn,
    datagramsOut,
    halfClosed,
  };
}

/** The maximum length of a filter in characters. */
const MAX_FILTER = 200;

/**
 * The predicate of a filter: each of its words occurs in the row. `#12` matches the connection with
 * this number.
 * @throws {HttpError} with status 400 if the filter is too long
 */
export function readFilter(filter: string): (row: Row) => boolean {
  const terms = filterTerms(filter);
  if (terms.length === 0) return () => true;
  return ({ id, outlet, address, peer, state = "" }) => {
    const text = `${outlet} ${address} ${peer} ${state}`.toLowerCase();
    return terms.every((word) => word.startsWith("#") ? `#${id}` === word : text.includes(word));
  };
}

/**
 * The words of a filter, in lower case.
 * @throws {HttpError} with status 400 if it is too long
 */
export function filterTerms(filter: string): readonly string[] {
  if (filter.length > MAX_FILTER) {
    const message = `filter: expected at most ${MAX_FILTER} characters`;
    throw new HttpError(400, message, { field: "filter" });
  }
  return [...new Set(filter.toLowerCase().split(/\s+/))].filter((word) => word !== "");
}

/** Sorts rows; `descending` reverses the order. Equal rows are sorted by number. */
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
