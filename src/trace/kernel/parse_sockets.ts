/**
 * Parses /proc/net/tcp, /proc/net/tcp6, /proc/net/netstat (proc(5)) and the output of ss(8).
 *
 * @module
 */
import { endpointText, type IpAddress } from "../decode/ip_address.ts";
import type { State } from "../track/state.ts";

/** A TCP state of a socket. */
export type SocketState = Exclude<State, "UNKNOWN"> | "LISTEN";

/** A TCP socket of this machine. */
export interface KernelSocket {
  /** Local address and port. */
  readonly local: string;
  /** Local port. */
  readonly localPort: number;
  /** Remote address and port; unspecified for a listening socket. */
  readonly peer: string;
  /** Remote port. */
  readonly peerPort: number;
  /** State. */
  readonly state: SocketState;
  /** Send queue: bytes sent but not acknowledged. */
  readonly sendQueue: number;
  /** Receive queue: bytes not read; for a listening socket, connections in the accept queue. */
  readonly receiveQueue: number;
  /** Retransmissions of the oldest unacknowledged segment. */
  readonly retransmits: number;
  /** Inode; 0 before accept(2) and after the last close(2). */
  readonly inode: number;
}

const STATES: readonly SocketState[] = [
  "CLOSED",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSED",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "SYN_RECV",
];

const LINE =
  /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8}) \S+ ([0-9A-F]{8})\s+\d+\s+\d+ (\d+)/;

/** Parses /proc/net/tcp or /proc/net/tcp6; other lines are skipped. */
export function parseSockets(text: string): KernelSocket[] {
  return text.split("\n").flatMap((line) => {
    const fields = LINE.exec(line);
    return fields === null ? [] : [socketOf(fields.slice(1))];
  });
}

function socketOf(fields: readonly string[]): KernelSocket {
  const [local = "", localPort = "", peer = "", peerPort = "", state = ""] = fields;
  const [sendQueue, receiveQueue, retransmits] = fields.slice(5, 8).map((hex) => parseInt(hex, 16));
  return {
    local: endpointText(parseProcAddress(local), parseInt(localPort, 16)),
    localPort: parseInt(localPort, 16),
    peer: endpointText(parseProcAddress(peer), parseInt(peerPort, 16)),
    peerPort: parseInt(peerPort, 16),
    state: STATES[parseInt(state, 16)] ?? "CLOSED",
    sendQueue: sendQueue ?? 0,
    receiveQueue: receiveQueue ?? 0,
    retransmits: retransmits ?? 0,
    inode: Number(fields[8]),
  };
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Each 32-bit word is printed in host byte order. */
function parseProcAddress(hex: string): IpAddress {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => inNetworkOrder(parseInt(word, 16)));
  return words.length === 1 ? [0, 0, 0xffff, ...words] : words;
}

function inNetworkOrder(word: number): number {
  if (!IS_LITTLE_ENDIAN) return word;
  return (word & 0xff) << 24 | (word & 0xff00) << 8 | word >>> 8 & 0xff00 | word >>> 24;
}

/** A line of /proc/net/udp or /proc/net/udp6: local address and port, inode, and drops at the end. */
const UDP_LINE =
  /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} \S+ \S+ \S+ \S+\s+\d+\s+\d+ (\d+) \d+ \S+ (\d+)\s*$/gm;

/** How many datagrams a UDP socket has lost because its receive buffer was full. */
export interface DatagramDrops {
  /** Local address and port. */
  readonly local: string;
  /** Inode. */
  readonly inode: number;
  /** Drops since it was opened. */
  readonly drops: number;
}

/** Parses the drops of the sockets at a port from /proc/net/udp or /proc/net/udp6. */
export function parseDatagramDrops(text: string, port: number): DatagramDrops[] {
  return [...text.matchAll(UDP_LINE)].flatMap(([, address, hex, inode, drops]) =>
    parseInt(hex!, 16) === port
      ? [{
        local: endpointText(parseProcAddress(address!), port),
        inode: Number(inode),
        drops: Number(drops),
      }]
      : []
  );
}

/** Listen counters of TcpExt, since boot. */
export interface ListenCounters {
  /** ListenOverflows: the accept queue was full. */
  readonly overflows: number;
  /** ListenDrops: connections dropped for any reason, including overflows. */
  readonly drops: number;
  /** SyncookiesSent: SYN cookies sent. */
  readonly cookies: number;
}

/** Parses the listen counters of /proc/net/netstat: a line of names, then a line of values. */
export function parseListenCounters(text: string): ListenCounters {
  const lines = text.split("\n").filter((line) => line.startsWith("TcpExt:"));
  const [names = [], values = []] = lines.map((line) => line.trim().split(" "));
  function counter(name: string): number {
    const at = names.indexOf(name);
    return at === -1 ? 0 : Number(values[at] ?? 0);
  }
  return {
    overflows: counter("ListenOverflows"),
    drops: counter("ListenDrops"),
    cookies: counter("SyncookiesSent"),
  };
}

/** Parses accept queue limits from `ss -Hltn`, by local address; /proc does not show them. */
export function parseBacklogs(text: string): Map<string, number> {
  const backlogs = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [state, , limit, local] = line.trim().split(/\s+/);
    if (state === "LISTEN" && local !== undefined) {
      backlogs.set(local.replace(/%[^\]:]+/, "").replace(/^\*:/, "[::]:"), Number(limit));
    }
  }
  return backlogs;
}
