/**
 * Reads the kernel's TCP socket tables. With 100,000 sockets in TIME_WAIT they are 15 MB, so the
 * asynchronous functions read them in pieces.
 *
 * @module
 */
import {
  type KernelSocket,
  type ListenCounters,
  parseBacklogs,
  parseListenCounters,
  parseSockets,
} from "./parse_sockets.ts";

/**
 * Cache time of socket tables that took `cost` milliseconds to read: at least 50 ms, and long
 * enough that reading takes at most a tenth of the time.
 */
export function cacheTime(cost: number): number {
  return Math.max(50, cost * 10);
}

const PROC_TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** Maximum bytes per read; the kernel returns about 30 sockets at a time. */
const BUFFER_LENGTH = 64 * 1024;

/**
 * The listening sockets; `undefined` if the tables cannot be read. The kernel lists them first, so
 * reading stops at the first other socket.
 */
export async function listeningSockets(): Promise<KernelSocket[] | undefined> {
  const listening: KernelSocket[] = [];
  let isReadable = false;
  for (const table of PROC_TABLES) {
    using file = await open(table);
    if (!file) continue;
    isReadable = true;
    for await (const sockets of readTable(file)) {
      const found = sockets.filter(({ state }) => state === "LISTEN");
      listening.push(...found);
      if (found.length < sockets.length) break;
    }
  }
  return isReadable ? listening : undefined;
}

/** All sockets except those in TIME_WAIT. */
export async function* socketsInUse(): AsyncGenerator<KernelSocket> {
  for (const table of PROC_TABLES) {
    using file = await open(table);
    if (file) {
      for await (const sockets of readTable(file, /^(?!\s*\d+: \S+ \S+ 06 )/)) yield* sockets;
    }
  }
}

function open(table: string): Promise<Deno.FsFile | undefined> {
  return Deno.open(table).catch(() => undefined);
}

/** Reads a table in pieces, yielding to the event loop between them. */
async function* readTable(file: Deno.FsFile, pattern?: RegExp): AsyncGenerator<KernelSocket[]> {
  const buffer = new Uint8Array(BUFFER_LENGTH);
  const decoder = new TextDecoder();
  let rest = "";
  for (let n = await file.read(buffer); n !== null; n = await file.read(buffer)) {
    const lines = (rest + decoder.decode(buffer.subarray(0, n))).split("\n");
    rest = lines.pop()!;
    const selected = pattern ? lines.filter((line) => pattern.test(line)) : lines;
    const sockets = parseSockets(selected.join("\n"));
    if (sockets.length > 0) yield sockets;
  }
}

/** All TCP sockets of this network namespace; empty without /proc. */
export function readSockets(): KernelSocket[] {
  return [...parseSockets(readProc("tcp")), ...parseSockets(readProc("tcp6"))];
}

/** The listen counters since boot. */
export function readListenCounters(): ListenCounters {
  return parseListenCounters(readProc("netstat"));
}

/** Accept queue limits by address; empty without ss(8). */
export function readBacklogs(): Map<string, number> {
  try {
    const { stdout } = new Deno.Command("ss", { args: ["-Hltn"], stderr: "null" }).outputSync();
    return parseBacklogs(new TextDecoder().decode(stdout));
  } catch {
    return new Map();
  }
}

function readProc(name: "tcp" | "tcp6" | "netstat"): string {
  try {
    return Deno.readTextFileSync(`/proc/net/${name}`);
  } catch {
    return "";
  }
}
