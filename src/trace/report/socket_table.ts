/**
 * The kernel's sockets as a table for people: what waits where, and what should not be there.
 *
 * @module
 */
import type { KernelSocket, ListenCounters } from "../live/kernel_sockets.ts";

/** What a table is made of. */
export interface SocketTable {
  /** The sockets to show. */
  readonly sockets: readonly KernelSocket[];
  /** What was dropped for want of room. */
  readonly counters: ListenCounters;
  /** The limit of each listening socket's accept queue, by its address, where that is known. */
  readonly backlogs: ReadonlyMap<string, number>;
  /** For how many milliseconds a socket has been seen in CLOSE_WAIT, by {@linkcode keyOf}. */
  readonly lingering?: ReadonlyMap<string, number>;
}

const MOST_ROWS = 200;

/** Renders the table: listening sockets first, then the connections by their ports. */
export function renderSockets(table: SocketTable): string {
  const sorted = table.sockets.toSorted(inOrder);
  const widths = { local: widthOf(sorted, "local"), peer: widthOf(sorted, "peer") };
  const lines = [
    row(["STATE", "LOCAL", "PEER", "RECV", "SEND", "AGAIN", ""], widths),
    ...sorted.slice(0, MOST_ROWS).map((socket) => row(cells(socket, table), widths)),
  ];
  if (sorted.length > MOST_ROWS) lines.push(`… and ${sorted.length - MOST_ROWS} more`);
  const { overflows, drops } = table.counters;
  lines.push(`since boot: ListenOverflows ${overflows}, ListenDrops ${drops}`);
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** What tells one socket from another between two looks. */
export function keyOf({ local, peer }: KernelSocket): string {
  return `${local} ${peer}`;
}

function inOrder(a: KernelSocket, b: KernelSocket): number {
  return Number(b.state === "LISTEN") - Number(a.state === "LISTEN") ||
    a.localPort - b.localPort || compare(a.state, b.state) || compare(a.peer, b.peer);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function widthOf(sockets: readonly KernelSocket[], side: "local" | "peer"): number {
  return Math.max(14, ...sockets.slice(0, MOST_ROWS).map((socket) => socket[side].length));
}

function row(
  [state = "", local = "", peer = "", receive = "", send = "", again = "", note = ""]: string[],
  widths: { local: number; peer: number },
): string {
  return [
    state.padEnd(11),
    local.padEnd(widths.local),
    peer.padEnd(widths.peer),
    receive.padStart(6),
    send.padStart(6),
    again.padStart(5),
    note,
  ].join(" ");
}

function cells(socket: KernelSocket, table: SocketTable): string[] {
  const isListening = socket.state === "LISTEN";
  const limit = table.backlogs.get(socket.local);
  return [
    socket.state,
    socket.local,
    isListening ? "" : socket.peer,
    String(socket.receiveQueue),
    isListening ? String(limit ?? "?") : String(socket.sendQueue),
    socket.retransmits > 0 ? String(socket.retransmits) : "",
    noteOn(socket, { limit, lingers: table.lingering?.get(keyOf(socket)) ?? 0 }),
  ];
}

function noteOn(
  { state, receiveQueue, inode }: KernelSocket,
  { limit, lingers }: { limit: number | undefined; lingers: number },
): string {
  switch (state) {
    case "LISTEN":
      if (limit !== undefined && receiveQueue > limit) return "accept queue full";
      return receiveQueue > 0 ? "waiting to be accepted" : "";
    case "SYN_RECV":
      return "the client has not acknowledged";
    case "CLOSE_WAIT":
      return lingers >= 1000
        ? `not closed here for ${Math.floor(lingers / 1000)} s`
        : "the peer has closed";
    default:
      return inode === 0 && state === "ESTABLISHED" ? "not accepted yet" : "";
  }
}
