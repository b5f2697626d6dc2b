/**
 * Sockets for datagrams: the table of datagram carriers, and listening on an address of one.
 * Everything that receives datagrams uses it; `listen.ts` is its counterpart for streams.
 *
 * @module
 */
import { formatAddress, type UdpAddress } from "../endpoint/address.ts";
import { udp } from "./carriers/udp.ts";
import type {
  DatagramCarrier,
  DatagramListener,
  DatagramListenOptions,
} from "./datagram_carrier.ts";

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
