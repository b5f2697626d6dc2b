/**
 * The table of carriers. `tests/transport/contract_test.ts` runs over all of them.
 *
 * @module
 */
import { type Address, formatAddress, isUdp, isUnix } from "../endpoint/address.ts";
import type { Carrier } from "./carrier.ts";
import { tcp } from "./carriers/tcp.ts";
import { unix } from "./carriers/unix.ts";

/** The carriers by name. */
export const CARRIERS = { tcp, unix };

/** The carrier for this kind of address. Addresses of UDP have none: see `datagrams.ts`. */
export function carrierOf(address: Address): Carrier<Address> {
  if (isUdp(address)) {
    throw new TypeError(`${formatAddress(address)}: datagrams are no byte stream`);
  }
  return isUnix(address) ? CARRIERS.unix : CARRIERS.tcp;
}
