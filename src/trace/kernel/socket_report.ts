/**
 * The kernel's sockets as a table for people: what waits where, and what should not be there.
 *
 * @module
 */
import type { KernelSocket, ListenCounters } from "./parse_sockets.ts";

/** What a table is made of. */
export interface SocketReport {
  /** The sockets to show. */
  readonly sockets: readonly KernelSocket[];
  /** What was dropped for want of room. */
  readonly counters: ListenCounters;
  /** The limit of each listening socket's accept queue, by its address, where that is known. */
  readonly backlogs: ReadonlyMap<string, number>;
  /** The ports on which this machine listens, where more sockets were read than are shown. */
  readonly listening?: ReadonlySet<number>;
  /** The processes that hold each socket open, by inode, where that is known. */
  readonly owners?: ReadonlyMap<number, string>;
  /** For how many milliseconds a socket has been seen in CLOSE_WAIT, by {@linkcode socketKey}. */
  readonly closeWaitTimes?: ReadonlyMap<string, number>;
}

const MAX_ROWS = 200;
/** Of connections that are over, no more than so many, after all others. */
const MAX_TIME_WAIT_ROWS = 20;

/** Renders the table: listening sockets first, then connections by port, those in TIME_WAIT last. */
export function renderSockets(table: SocketReport): string {
  const sorted = table.sockets.toSorted(compareSockets);
  const isOver = ({ state }: KernelSocket) => state === "TIME_WAIT";
  const [over, open] = [sorted.filter(isOver), sorted.filter((socket) => !isOver(socket))];
  const shown = [...open.slice(0, MAX_ROWS), ...over.slice(0, MAX_TIME_WAIT_ROWS)];
  const widths = { local: widthOf(shown, "local"), peer: widthOf(shown, "peer") };
  const listening = table.listening ?? listeningPorts(sorted);
  const lines = [
    row(["STATE", "LOCAL", "PEER", "HERE", "RECV", "SEND", "AGAIN", "PROCESS"], widths),
    ...shown.map((socket) => row(cells(socket, { table, listening }), widths)),
  ];
  if (open.length > MAX_ROWS) lines.push(`… and ${open.length - MAX_ROWS} more`);
  if (over.length > MAX_TIME_WAIT_ROWS) {
    lines.push(`… and ${over.length - MAX_TIME_WAIT_ROWS} more in TIME_WAIT`);
  }
  const { overflows, drops } = table.counters;
  lines.push(`since boot: ListenOverflows ${overflows}, ListenDrops ${drops}`);
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** The ports on which sockets listen. */
export function listeningPorts(sockets: readonly KernelSocket[]): Set<number> {
  return new Set(sockets.filter(isListening).map(({ localPort }) => localPort));
}

/** What tells one socket from another between two looks. */
export function socketKey({ local, peer }: KernelSocket): string {
  return `${local} ${peer}`;
}

function isListening({ state }: KernelSocket): boolean {
  return state === "LISTEN";
}

function compareSockets(a: KernelSocket, b: KernelSocket): number {
  return Number(isListening(b)) - Number(isListening(a)) ||
    a.localPort - b.localPort || compare(a.state, b.state) || compare(a.peer, b.peer);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function widthOf(sockets: readonly KernelSocket[], side: "local" | "peer"): number {
  return Math.max(14, ...sockets.map((socket) => socket[side].length));
}

/** Which end of the connection is here; with a question mark where that is only likely. */
function roleOf(
  { state, localPort, peerPort }: KernelSocket,
  listening: ReadonlySet<number>,
): string {
  if (state === "LISTEN") return "";
  if (state === "SYN_SENT") return "client";
  if (state === "SYN_RECV" || listening.has(localPort)) return "server";
  // Whoever listened on this port may have stopped, but for the other end, which listens here too.
  return listening.has(peerPort) ? "client" : "client?";
}

function row(
  [state = "", local = "", peer = "", role = "", receive = "", send = "", again = "", ...rest]:
    string[],
  widths: { local: number; peer: number },
): string {
  return [
    state.padEnd(11),
    local.padEnd(widths.local),
    peer.padEnd(widths.peer),
    role.padEnd(7),
    receive.padStart(6),
    send.padStart(6),
    again.padStart(5),
    ...rest.filter((text) => text !== ""),
  ].join(" ");
}

function cells(
  socket: KernelSocket,
  { table, listening }: { table: SocketReport; listening: ReadonlySet<number> },
): string[] {
  const isListener = isListening(socket);
  const limit = table.backlogs.get(socket.local);
  return [
    socket.state,
    socket.local,
    isListener ? "" : socket.peer,
    roleOf(socket, listening),
    String(socket.receiveQueue),
    isListener ? String(limit ?? "?") : String(socket.sendQueue),
    socket.retransmits > 0 ? String(socket.retransmits) : "",
    table.owners?.get(socket.inode) ?? "",
    noteOn(socket, { limit, lingers: table.closeWaitTimes?.get(socketKey(socket)) ?? 0 }),
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
