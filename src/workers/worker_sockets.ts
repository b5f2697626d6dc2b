/**
 * Tracks the welcome sockets of each worker, and shuts down those of a worker that hangs.
 *
 * A thread that hangs can neither be terminated nor close its sockets, and the kernel keeps
 * assigning connections to them (SO_REUSEPORT). Descriptors belong to the process, so that another
 * thread can shut them down through libc.
 *
 * @module
 */
import { explain } from "../transport/errors.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** The kernel's socket tables, in which listening sockets come first. */
const TABLES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/** The state LISTEN in these tables. */
const LISTEN = "0A";

/** Shuts down both directions, see shutdown(2). */
const SHUT_RDWR = 2;

/** A listening socket in the kernel's tables. */
interface Listening {
  readonly inode: string;
  readonly port: number;
}

/** The sockets that each worker has bound. */
export class WorkerSockets {
  readonly #isPossible = Deno.build.os === "linux" &&
    Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  readonly #known = new Set<string>();
  readonly #sockets = new Map<WorkerHandle, Listening[]>();

  /**
   * Assigns sockets that are new since the last call to a worker. Only this worker may have bound
   * any.
   */
  async note(worker: WorkerHandle): Promise<void> {
    if (!this.#isPossible) return;
    const listening = (await Promise.all(TABLES.map(listeningIn))).flat();
    const found = listening.filter(({ inode }) => !this.#known.has(inode));
    this.#known.clear();
    for (const { inode } of listening) this.#known.add(inode);
    const stillOpen = (this.#sockets.get(worker) ?? []).filter(({ inode }) =>
      this.#known.has(inode)
    );
    this.#sockets.set(worker, [...stillOpen, ...found]);
  }

  /** Removes a worker. */
  forget(worker: WorkerHandle): void {
    this.#sockets.delete(worker);
  }

  /**
   * Shuts down a worker's sockets at these ports, so that the kernel assigns it no more
   * connections.
   *
   * @throws {Error} if that is impossible, with the reason
   */
  async shutDown(worker: WorkerHandle, ports: ReadonlySet<number>): Promise<void> {
    if (!this.#isPossible) {
      throw new Error("its welcome sockets stay open: closing them needs Linux and --allow-ffi");
    }
    const own = (this.#sockets.get(worker) ?? []).filter(({ port }) => ports.has(port));
    this.forget(worker);
    const inodes = new Set(own.map(({ inode }) => inode));
    try {
      const libc = Deno.dlopen("libc.so.6", {
        shutdown: { parameters: ["i32", "i32"], result: "i32" },
      });
      for await (const { name } of Deno.readDir("/proc/self/fd")) {
        const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
        const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
        if (inode !== undefined && inodes.has(inode)) {
          libc.symbols.shutdown(Number(name), SHUT_RDWR);
        }
      }
      libc.close();
    } catch (cause) {
      throw new Error(`its welcome sockets stay open: ${explain(cause)}`, { cause });
    }
  }
}

/** Reads the listening sockets from a table, up to the first socket in another state. */
async function listeningIn(table: string): Promise<Listening[]> {
  const found: Listening[] = [];
  using file = await Deno.open(table).catch(() => undefined);
  if (!file) return found;
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let rest = "";
  for (let n = await file.read(buffer); n !== null; n = await file.read(buffer)) {
    const lines = (rest + decoder.decode(buffer.subarray(0, n))).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (state === "st") continue;
      if (state !== LISTEN) return found;
      found.push({ inode, port: parseInt(local.slice(local.lastIndexOf(":") + 1), 16) });
    }
  }
  return found;
}
