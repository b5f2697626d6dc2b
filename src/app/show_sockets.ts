/**
 * `outlet trace --sockets` as a process: shows the kernel's sockets, on a terminal repeatedly.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { KernelSocket } from "../trace/kernel/parse_sockets.ts";
import { readBacklogs, readListenCounters, readSockets } from "../trace/kernel/read_sockets.ts";
import { socketOwners } from "../trace/kernel/socket_owners.ts";
import { printable } from "../terminal/printable.ts";
import { listeningPorts, renderSockets, socketKey } from "../trace/kernel/socket_report.ts";

/** How often the table is updated on a terminal, in milliseconds. */
const REFRESH = 1000;

/** Moves the cursor home and erases the display: CUP and ED of ECMA-48, 8.3.21 and 8.3.39. */
const REDRAW = "\x1b[H\x1b[J";

/** Shows the sockets of these ports, or of all: once, or on a terminal every second until aborted. */
export async function showSockets(
  ports: readonly number[],
  { signal, show }: { signal: AbortSignal; show(text: string): Promise<void> },
): Promise<void> {
  const isRefreshed = Deno.stdout.isTerminal();
  let waiting = new Map<string, number>();
  for (;;) {
    const now = performance.now();
    const all = readSockets();
    const sockets = all.filter((socket) => isOf(ports, socket));
    waiting = closeWaitSince(sockets, { before: waiting, now });
    const lingering = new Map([...waiting].map(([key, since]) => [key, now - since]));
    const table = renderSockets({
      sockets,
      closeWaitTimes: lingering,
      owners: ownersOf(sockets),
      listening: listeningPorts(all),
      counters: readListenCounters(),
      backlogs: readBacklogs(),
    });
    await show(isRefreshed ? REDRAW + table : table);
    if (!isRefreshed || signal.aborted) return;
    await delay(REFRESH, { signal }).catch(() => {});
    if (signal.aborted) return;
  }
}

/** The owning programs by inode, escaped because a program can choose its name. */
function ownersOf(sockets: readonly KernelSocket[]): Map<number, string> {
  const inodes = new Set(sockets.map(({ inode }) => inode).filter((inode) => inode !== 0));
  const owners = socketOwners(inodes);
  return new Map([...owners].map(([inode, names]) => [inode, printable(names)]));
}

function isOf(ports: readonly number[], { localPort, peerPort }: KernelSocket): boolean {
  return ports.length === 0 || ports.includes(localPort) || ports.includes(peerPort);
}

/** Since when each socket has been observed in CLOSE_WAIT. */
function closeWaitSince(
  sockets: readonly KernelSocket[],
  { before, now }: { before: ReadonlyMap<string, number>; now: number },
): Map<string, number> {
  const waiting = sockets.filter(({ state }) => state === "CLOSE_WAIT").map(socketKey);
  return new Map(waiting.map((key) => [key, before.get(key) ?? now]));
}
