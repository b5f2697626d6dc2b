/**
 * What carries bytes between two ends of the system's: the contract of TCP and Unix sockets.
 *
 * @module
 */
import type { ByteStream } from "./stream.ts";

/** A socket that listens. */
export interface Listener {
  /** Where it listens, with the real port. */
  readonly addr: Deno.Addr;
  /** The next client, before anything is spoken over the carrier. */
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
  /** Whether a Unix socket takes its path from another one of this process, once it accepts. */
  readonly takesOver?: boolean | undefined;
  /**
   * Whether to make sure first that nobody listens there, this process included: to the kernel, who shares a port
   * shares it with any program of the same user.
   */
  readonly alone?: boolean | undefined;
}

/** One kind of sockets. Its errors are the system's; the reasons put them into words. */
export interface Carrier<Address> {
  /** Binds and listens. */
  listen(address: Address, options: ListenOptions): Listener;
  /** Connects; gives up when the signal is aborted, where the system can. */
  connect(address: Address, signal: AbortSignal): Promise<ByteStream>;
  /** Why the system would not listen there, and what to do about it. */
  listenFault(cause: unknown, address: Address): string;
}
