/**
 * Unix stream sockets: `unix(7)`.
 *
 * @module
 */
import type { UnixAddress } from "../../endpoint/address.ts";
import type { Carrier, Listener, ListenOptions } from "../carrier.ts";
import { codeOf, explain } from "../errors.ts";
import { type ByteStream, streamOf } from "../stream.ts";
import { MovableListener } from "./movable_listener.ts";

/** The carrier of Unix sockets with a path. */
export const unix: Carrier<UnixAddress> = { listen, connect, listenFault };

/**
 * Listens on a path. The umask sets the permission bits, so they hold from the moment the file
 * exists.
 */
function listen({ path }: UnixAddress, { mode, shared, takesOver }: ListenOptions): Listener {
  const before = mode === undefined ? undefined : Deno.umask(~mode & 0o777);
  try {
    if (shared) return new MovableListener(path, { takesOver });
    const listener = Deno.listen({ transport: "unix", path });
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
  return streamOf(await Deno.connect({ transport: "unix", path }));
}

function listenFault(cause: unknown): string {
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
  const file = await Deno.lstat(path).catch(() => undefined);
  if (!file?.isSocket) return;
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (codeOf(error) === "ECONNREFUSED") await Deno.remove(path);
  }
}
