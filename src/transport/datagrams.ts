/**
 * Sockets for datagrams: the table of datagram carriers, and listening on an address of one.
 * Everything that receives datagrams uses it; `listen.ts` is its counterpart for streams.
 *
 * @module
 */
import { formatAddress, type UdpAddress } from "../endpoint/address.ts";
import { bind, udp } from "./carriers/udp.ts";
import type {
  DatagramCarrier,
  DatagramListener,
  DatagramListenOptions,
  DatagramSocket,
} from "./datagram_carrier.ts";
import { explain } from "./errors.ts";

export type { DatagramListener, DatagramSocket } from "./datagram_carrier.ts";

/** The datagram carriers by name. */
export const DATAGRAM_CARRIERS: { readonly udp: DatagramCarrier } = { udp };

/**
 * Binds the sockets of an address.
 * @param purpose is what failed, in errors
 * @throws {Error} `cannot listen on udp://127.0.0.1:7: …` if the system refuses
 */
export function listenDatagrams(
  address: UdpAddress,
  { purpose = "listen", ...options }: DatagramListenOptions & { readonly purpose?: string } = {},
): DatagramListener {
  const carrier = DATAGRAM_CARRIERS.udp;
  try {
    return carrier.listen(address, options);
  } catch (cause) {
    const reason = carrier.listenFault(cause, address);
    throw new Error(`cannot ${purpose} on ${formatAddress(address)}: ${reason}`, { cause });
  }
}

/**
 * Opens a socket to send from. On a wildcard, the system chooses the address that each datagram
 * comes from, so it cannot serve clients.
 * @throws {Error} `cannot send from 127.0.0.1: …` if the system refuses
 */
export function openDatagramSocket(hostname: string): DatagramSocket {
  try {
    return bind({ transport: "udp", hostname, port: 0 });
  } catch (cause) {
    throw new Error(`cannot send from ${hostname}: ${explain(cause)}`, { cause });
  }
}
