/**
 * Opening a welcome socket, and what it means when the system won't.
 *
 * @module
 */
import {
  type Address,
  formatAddress,
  type InternetAddress,
  isUnix,
  lacksZone,
  zoneNeeded,
} from "../endpoint/address.ts";
import { codeOf, explain } from "./errors.ts";
import { portHolder } from "./port_holder.ts";
import { type ByteStream, streamOf } from "./stream.ts";

/** What an outlet needs of a listening socket. */
export interface Listener {
  /** Where it listens, with the real port. */
  readonly addr: Deno.Addr;
  /** The next client. */
  accept(): Promise<ByteStream>;
  /** Stops listening; a Unix socket's file goes too. */
  close(): void;
}

/** How to listen. */
export interface ListenOptions {
  /** Clients that may wait to be accepted; the kernel caps it at `net.core.somaxconn`. */
  readonly backlog: number;
  /** The permission bits of a Unix socket's file; as the umask says, where it is not said. */
  readonly mode?: number | undefined;
  /** Whether others of this process listen there too; the kernel then spreads the clients over them. */
  readonly shared?: boolean | undefined;
  /**
   * Whether to make sure first that nobody listens there, this process included: to the kernel, who shares a port
   * shares it with any program of the same user.
   */
  readonly alone?: boolean | undefined;
}

/**
 * Binds and listens.
 *
 * @throws {Error} `cannot listen on 127.0.0.1:80: …` when the system refuses; the cause is its error.
 */
export function listenOn(address: Address, options: ListenOptions): Listener {
  const { backlog, mode, shared = false, alone = false } = options;
  try {
    if (isUnix(address)) return listenAt(address.path, mode);
    if (shared && alone && address.port !== 0) Deno.listen({ ...address, tcpBacklog: 1 }).close();
    const listener = Deno.listen({
      ...address,
      transport: "tcp",
      tcpBacklog: backlog,
      reusePort: shared,
    });
    return zoned(listener, address);
  } catch (cause) {
    throw new Error(`cannot listen on ${formatAddress(address)}: ${reasonFor(cause, address)}`, {
      cause,
    });
  }
}

/** The listener, which tells its zone, too, where it has one: the system leaves that out. */
function zoned(listener: Deno.TcpListener, { hostname }: InternetAddress): Listener {
  if (!hostname.includes("%")) return listener;
  return {
    addr: { ...listener.addr, hostname },
    accept: () => listener.accept(),
    close: () => listener.close(),
  };
}

/**
 * Removes the file of a Unix socket that nobody listens on any more. One that is listened on stays, and so does
 * whatever is no socket: listening there says what is in the way.
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

/** Listens at a path. The file has its permission bits from the first moment, through the umask. */
function listenAt(path: string, mode: number | undefined): Listener {
  const before = mode === undefined ? undefined : Deno.umask(~mode & 0o777);
  try {
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

/** Why the system would not listen there, and what to do about it. */
function reasonFor(cause: unknown, address: Address): string {
  if (isUnix(address)) return reasonAtPath(cause);
  const { port } = address;
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      if (portHolder(port) === "connection") {
        return `nobody listens there, but an outgoing connection of this machine has port ${port} ` +
          "as its own: wait until it ends, or take a port outside of net.ipv4.ip_local_port_range";
      }
      return `${
        explain(cause)
      }; stop what listens there, or take another port (0 takes a free one)`;
    case "EINVAL":
      return lacksZone(address.hostname) ? zoneNeeded(address.hostname) : explain(cause);
    case "EACCES":
      return `${explain(cause)}; port ${port} needs root or the capability CAP_NET_BIND_SERVICE, ` +
        "or take a port from 1024 up";
    default:
      return explain(cause);
  }
}

function reasonAtPath(cause: unknown): string {
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return "there is such a file, and it is no socket that was left behind; stop what listens " +
        "there, or take another path";
    case "ENOENT":
      return "the folder is not there";
    default:
      return explain(cause);
  }
}
