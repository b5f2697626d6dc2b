/**
 * The interface of datagram carriers.
 *
 * @module
 */
import type { UdpAddress } from "../endpoint/address.ts";

/** The longest datagram of UDP over IPv4 in bytes. */
export const LONGEST_DATAGRAM = 65_507;

/** A socket that is bound to one local address. */
export interface DatagramSocket {
  /** The address it is bound to, with the real port. */
  readonly address: UdpAddress;
  /**
   * Resolves to the next datagram, in `buffer`, and its sender. A longer datagram is cut off, so a
   * full buffer means that the datagram may have been longer.
   */
  receive(buffer: Uint8Array): Promise<[datagram: Uint8Array, from: Deno.Addr]>;
  /** Sends a datagram; resolves when the kernel has accepted it. */
  send(datagram: Uint8Array, to: Deno.Addr): Promise<void>;
  /** Closes the socket. A pending receive rejects. */
  close(): void;
}

/** Options of {@linkcode DatagramCarrier.listen}. */
export interface DatagramListenOptions {
  /**
   * Whether another thread of this process may take the address over by binding it: the last one
   * gets all datagrams (`SO_REUSEADDR`).
   */
  readonly shared?: boolean | undefined;
  /** Whether to check first that no other program has the address. */
  readonly alone?: boolean | undefined;
}

/** The sockets at an address: one, or one for each local address that a wildcard stands for. */
export interface DatagramListener {
  /** The address, with the real port. */
  readonly address: UdpAddress;
  /** The sockets. */
  readonly sockets: readonly DatagramSocket[];
  /**
   * Reports sockets that are opened later, for local addresses that are new or that a datagram was
   * sent to, until disposed. Absent where the address is no wildcard.
   */
  readonly follow?: ((opened: (socket: DatagramSocket) => void) => Disposable) | undefined;
}

/** A way to open datagram sockets. Its errors are the system's; `fault` explains them. */
export interface DatagramCarrier {
  /** Binds the sockets of an address. */
  listen(address: UdpAddress, options: DatagramListenOptions): DatagramListener;
  /** Why that failed, and what to do about it. */
  listenFault(cause: unknown, address: UdpAddress): string;
}
