/**
 * Unix stream sockets: `unix(7)`.
 *
 * @module
 */
import { isAbstract, type UnixAddress } from "../../endpoint/address.ts";
import type { Carrier, Listener, ListenOptions } from "../carrier.ts";
import { codeOf, explain } from "../errors.ts";
import { type ByteStream, streamOf } from "../stream.ts";
import { MovableListener } from "./movable_listener.ts";

/** The carrier of Unix sockets with a path or an abstract name. */
export const unix: Carrier<UnixAddress> = { listen, connect, listenFault };

/**
 * Listens on a path. The umask sets the permission bits, so they hold from the moment the file
 * exists.
 */
function listen({ path }: UnixAddress, { mode, shared, takesOver }: ListenOptions): Listener {
  const before = mode === undefined ? undefined : Deno.umask(~mode & 0o777);
  try {
    if (shared && isAbstract(path)) throw new Error("a name without a file is of one thread");
    if (shared) return new MovableListener(path, { takesOver });
    const listener = Deno.listen({ transport: "unix", path: systemPath(path) });
    return {
      addr: listener.addr,
      accept: async () => streamOf(await listener.accept()),
      close: () => listener.close(),
    };
  } finally {
    if (before !== undefined) Deno.umask(before);
  }
}

/** Connects. This succeeds or fails at once, so there is nothing to abort. */
async function connect({ path }: UnixAddress): Promise<ByteStream> {
  return streamOf(await Deno.connect({ transport: "unix", path: systemPath(path) }));
}

/** The path as the system has it: an abstract name begins with a zero byte. */
function systemPath(path: string): string {
  return isAbstract(path) ? `\0${path.slice(1)}` : path;
}

function listenFault(cause: unknown, { path }: UnixAddress): string {
  if (isAbstract(path) && codeOf(cause) === "EADDRINUSE") {
    return "another socket has that name; stop the program that listens there, or use another name";
  }
  switch (codeOf(cause)) {
    case "EADDRINUSE":
    case "EEXIST":
      return "the file exists and is not a stale socket; stop the program that listens " +
        "there, or use another path";
    case "ENOENT":
      return "no such directory";
    default:
      return explain(cause);
  }
}

/**
 * Removes the file of a Unix socket on which nothing listens. Other files stay, and listening on
 * them then fails with the reason.
 */
export async function clearStale(path: string): Promise<void> {
  if (isAbstract(path)) return;
  const file = await Deno.lstat(path).catch(() => undefined);
  if (!file?.isSocket) return;
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (codeOf(error) === "ECONNREFUSED") await Deno.remove(path);
  }
}
