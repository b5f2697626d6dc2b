/**
 * The kernel's tables of TCP sockets, read in pieces: with a hundred thousand sockets in TIME_WAIT they are 15 MB.
 *
 * @module
 */
import { type KernelSocket, parseSockets } from "./kernel_sockets.ts";

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** How much is read and parsed at a time, at most: the kernel itself gives some 30 sockets. */
const PIECE = 64 * 1024;

/** The sockets that listen. The kernel tells them before all others, so no more is read of it. */
export async function listeningSockets(): Promise<KernelSocket[]> {
  const listening: KernelSocket[] = [];
  for (const table of TABLES) {
    for await (const sockets of piecesOf(table)) {
      const found = sockets.filter(({ state }) => state === "LISTEN");
      listening.push(...found);
      if (found.length < sockets.length) break;
    }
  }
  return listening;
}

/** All sockets but those in TIME_WAIT, which nobody holds any more, as they are read. */
export async function* heldSockets(): AsyncGenerator<KernelSocket> {
  for (const table of TABLES) {
    for await (const sockets of piecesOf(table, /^(?!\s*\d+: \S+ \S+ 06 )/)) yield* sockets;
  }
}

/** A table, in turns of the event loop, for each read is one; where it cannot be read, there is nothing in it. */
async function* piecesOf(table: string, wanted?: RegExp): AsyncGenerator<KernelSocket[]> {
  using file = await Deno.open(table).catch(() => undefined);
  if (!file) return;
  const buffer = new Uint8Array(PIECE);
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
