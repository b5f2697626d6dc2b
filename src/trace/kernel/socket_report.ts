/**
 * Renders TCP sockets as a table, with notes on full queues and unclosed sockets.
 *
 * @module
 */
import type { KernelSocket, ListenCounters } from "./parse_sockets.ts";

/** Input of {@linkcode renderSockets}. */
export interface SocketReport {
  /** Sockets to show. */
  readonly sockets: readonly KernelSocket[];
  /** Listen counters. */
  readonly counters: ListenCounters;
  /** Accept queue limits by local address, if known. */
  readonly backlogs: ReadonlyMap<string, number>;
  /** Local ports with a listener; default: those of {@linkcode sockets}. */
  readonly listening?: ReadonlySet<number>;
  /** Processes that hold each socket, by inode, if known. */
  readonly owners?: ReadonlyMap<number, string>;
  /** Milliseconds in CLOSE_WAIT, by {@linkcode socketKey}. */
  readonly closeWaitTimes?: ReadonlyMap<string, number>;
}

const MAX_ROWS = 200;
/** Maximum number of rows in TIME_WAIT, which come last. */
const MAX_TIME_WAIT_ROWS = 20;

/** Renders listening sockets first, then connections by port, then those in TIME_WAIT. */
export function renderSockets(table: SocketReport): string {
  const sorted = table.sockets.toSorted(compareSockets);
  const isTimeWait = ({ state }: KernelSocket) => state === "TIME_WAIT";
  const [timeWait, open] = [
    sorted.filter(isTimeWait),
    sorted.filter((socket) => !isTimeWait(socket)),
  ];
  const shown = [...open.slice(0, MAX_ROWS), ...timeWait.slice(0, MAX_TIME_WAIT_ROWS)];
  const widths = { local: widthOf(shown, "local"), peer: widthOf(shown, "peer") };
  const listening = table.listening ?? listeningPorts(sorted);
  const lines = [
    row(["STATE", "LOCAL", "PEER", "HERE", "RECV", "SEND", "RETRANS", "PROCESS"], widths),
    ...shown.map((socket) => row(cells(socket, { table, listening }), widths)),
  ];
  if (open.length > MAX_ROWS) lines.push(`… and ${open.length - MAX_ROWS} more`);
  if (timeWait.length > MAX_TIME_WAIT_ROWS) {
    lines.push(`… and ${timeWait.length - MAX_TIME_WAIT_ROWS} more in TIME_WAIT`);
  }
  const { overflows, drops } = table.counters;
  lines.push(`since boot: ListenOverflows ${overflows}, ListenDrops ${drops}`);
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** Local ports of the listening sockets. */
export function listeningPorts(sockets: readonly KernelSocket[]): Set<number> {
  return new Set(sockets.filter(isListening).map(({ localPort }) => localPort));
}

/** Key of a socket: both addresses. */
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

/** Role of this machine, with a question mark if uncertain. */
function roleOf(
  { state, localPort, peerPort }: KernelSocket,
  listening: ReadonlySet<number>,
): string {
  if (state === "LISTEN") return "";
  if (state === "SYN_SENT") return "client";
  if (state === "SYN_RECV" || listening.has(localPort)) return "server";
  // The listener of this port may have been closed, unless the other end's port has one here.
  return listening.has(peerPort) ? "client" : "client?";
}

function row(
  [
    state = "",
    local = "",
    peer = "",
    role = "",
    receive = "",
    send = "",
    retransmits = "",
    ...rest
  ]: string[],
  widths: { local: number; peer: number },
): string {
  return [
    state.padEnd(11),
    local.padEnd(widths.local),
    peer.padEnd(widths.peer),
    role.padEnd(7),
    receive.padStart(6),
    send.padStart(6),
    retransmits.padStart(7),
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
    noteOn(socket, { limit, closeWaitTime: table.closeWaitTimes?.get(socketKey(socket)) ?? 0 }),
  ];
}

function noteOn(
  { state, receiveQueue, inode }: KernelSocket,
  { limit, closeWaitTime }: { limit: number | undefined; closeWaitTime: number },
): string {
  switch (state) {
    case "LISTEN":
      if (limit !== undefined && receiveQueue > limit) return "accept queue full";
      return receiveQueue > 0 ? "waiting for accept" : "";
    case "SYN_RECV":
      return "the client has not acknowledged";
    case "CLOSE_WAIT":
      return closeWaitTime >= 1000
        ? `not closed here for ${Math.floor(closeWaitTime / 1000)} s`
        : "the peer has closed";
    default:
      return inode === 0 && state === "ESTABLISHED" ? "not accepted yet" : "";
  }
}
