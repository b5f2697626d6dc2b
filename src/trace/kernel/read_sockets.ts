/**
 * The kernel's tables of TCP sockets, read in pieces: with a hundred thousand sockets in TIME_WAIT they are 15 MB.
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

const PROC_TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** How much is read and parsed at a time, at most: the kernel itself gives some 30 sockets. */
const BUFFER_LENGTH = 64 * 1024;

/**
 * The sockets that listen; `undefined` where the kernel does not tell. It tells them before all others, so no more is
 * read of it.
 */
export async function listeningSockets(): Promise<KernelSocket[] | undefined> {
  const listening: KernelSocket[] = [];
  let isTold = false;
  for (const table of PROC_TABLES) {
    using file = await open(table);
    if (!file) continue;
    isTold = true;
    for await (const sockets of readTable(file)) {
      const found = sockets.filter(({ state }) => state === "LISTEN");
      listening.push(...found);
      if (found.length < sockets.length) break;
    }
  }
  return isTold ? listening : undefined;
}

/** All sockets but those in TIME_WAIT, which nobody holds any more, as they are read. */
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

/** A table, in turns of the event loop, for each read is one. */
async function* readTable(file: Deno.FsFile, wanted?: RegExp): AsyncGenerator<KernelSocket[]> {
  const buffer = new Uint8Array(BUFFER_LENGTH);
  const decoder = new TextDecoder();
  let rest = "";
  for (let n = await file.read(buffer); n !== null; n = await file.read(buffer)) {
    const lines = (rest + decoder.decode(buffer.subarray(0, n))).split("\n");
    rest = lines.pop()!;
    const kept = wanted ? lines.filter((line) => wanted.test(line)) : lines;
    const sockets = parseSockets(kept.join("\n"));
    if (sockets.length > 0) yield sockets;
  }
}

/** Every TCP socket of this machine, or of its network namespace; none where there is no /proc. */
export function readSockets(): KernelSocket[] {
  return [...parseSockets(readProc("tcp")), ...parseSockets(readProc("tcp6"))];
}

/** What was dropped on the way to accept since boot. */
export function readListenCounters(): ListenCounters {
  return parseListenCounters(readProc("netstat"));
}

/** The limits of the accept queues by address, where `ss` is there to ask. */
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
