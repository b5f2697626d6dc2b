/**
 * The interface of carriers: TCP and Unix sockets.
 *
 * @module
 */
import type { Source } from "../endpoint/source.ts";
import type { KeepAliveTimes } from "./keep_alive_options.ts";
import type { ByteStream } from "./stream.ts";

/** A listening socket. */
export interface Listener {
  /** The address it is bound to, with the real port. */
  readonly addr: Deno.Addr;
  /** Resolves to the next connection, without any layers. */
  accept(): Promise<ByteStream>;
  /** Closes the socket; the file of a Unix socket is removed. */
  close(): void;
}

/** Options of {@linkcode Carrier.listen}. */
export interface ListenOptions {
  /** The length of the accept queue; the kernel caps it at `net.core.somaxconn`. */
  readonly backlog: number;
  /** The permission bits of a Unix socket's file; by default those of the umask. */
  readonly mode?: number | undefined;
  /**
   * Whether other threads of this process listen on the same address (`SO_REUSEPORT`): the kernel
   * distributes connections over them.
   */
  readonly shared?: boolean | undefined;
  /**
   * Whether a Unix socket takes over the path of another one of this process when it first accepts.
   */
  readonly takesOver?: boolean | undefined;
  /**
   * Whether to check first that nothing listens on the address, this process included. With
   * `SO_REUSEPORT`, the kernel lets any program of the same user share the port.
   */
  readonly alone?: boolean | undefined;
}

/** Options of {@linkcode Carrier.connect}. */
export interface ConnectOptions {
  /** Aborted to give up, if the system can. */
  readonly signal: AbortSignal;
  /** The address or the port to come from; the system chooses by default. */
  readonly source?: Source | undefined;
  /** When keep-alive probes are sent; the system's times by default. */
  readonly keepAliveTimes?: KeepAliveTimes | undefined;
}

/** One kind of socket. Its errors are the system's; `listenFault` explains them. */
export interface Carrier<Address> {
  /** Binds and listens. */
  listen(address: Address, options: ListenOptions): Listener;
  /** Connects. */
  connect(address: Address, options: ConnectOptions): Promise<ByteStream>;
  /** Why listening failed, and what to do about it. */
  listenFault(cause: unknown, address: Address): string;
}
