/**
 * What the kernel says of its TCP sockets: /proc/net/tcp, /proc/net/tcp6 and /proc/net/netstat, as
 * proc(5) and Linux's networking/proc_net_tcp describe them. Reads text; where it comes from is not
 * its business.
 *
 * @module
 */
import { endpointText, type IpAddress } from "../decode/ip_address.ts";
import type { State } from "../track/state.ts";

/** A state as the kernel has it: it knows of listening sockets, too. */
export type SocketState = Exclude<State, "UNKNOWN"> | "LISTEN";

/** One socket of this machine. */
export interface KernelSocket {
  /** Its own address and port. */
  readonly local: string;
  /** Its own port. */
  readonly localPort: number;
  /** The address and port of the other end; a listening socket has none. */
  readonly peer: string;
  /** The other end's port. */
  readonly peerPort: number;
  /** Its state. */
  readonly state: SocketState;
  /** Bytes that were sent and not acknowledged. */
  readonly sendQueue: number;
  /** Bytes that were not read yet; of a listening socket, the connections that wait to be accepted. */
  readonly receiveQueue: number;
  /** How often the segment it waits for was sent again. */
  readonly retransmits: number;
  /** The socket's inode, 0 while nobody has accepted it or after everybody has closed it. */
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

/** Reads the text of /proc/net/tcp or /proc/net/tcp6; lines that are no sockets are passed over. */
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

/** The kernel prints each word of an address as a number of its own byte order. */
function parseProcAddress(hex: string): IpAddress {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => inNetworkOrder(parseInt(word, 16)));
  return words.length === 1 ? [0, 0, 0xffff, ...words] : words;
}

function inNetworkOrder(word: number): number {
  if (!IS_LITTLE_ENDIAN) return word;
  return (word & 0xff) << 24 | (word & 0xff00) << 8 | word >>> 8 & 0xff00 | word >>> 24;
}

/** How often a connection was dropped because it could not be queued for accept, since boot. */
export interface ListenCounters {
  /** The accept queue was full. */
  readonly overflows: number;
  /** For any reason, overflows among them. */
  readonly drops: number;
  /** How many SYNs were answered with a cookie, of which the kernel keeps nothing. */
  readonly cookies: number;
}

/** Reads the listen counters out of the text of /proc/net/netstat: names on a line, values on the next. */
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

/**
 * Reads the accept queues' limits out of what `ss -Hltn` prints, by local address and port: the only
 * place where the kernel tells them outside of netlink.
 */
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
