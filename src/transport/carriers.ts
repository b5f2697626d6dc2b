/**
 * The table of carriers. `tests/transport/contract_test.ts` runs over all of them.
 *
 * @module
 */
import { type Address, isUnix } from "../endpoint/address.ts";
import type { Carrier } from "./carrier.ts";
import { tcp } from "./carriers/tcp.ts";
import { unix } from "./carriers/unix.ts";

/** The carriers by name. */
export const CARRIERS = { tcp, unix };

/** The carrier for this kind of address. */
export function carrierOf(address: Address): Carrier<Address> {
  return isUnix(address) ? CARRIERS.unix : CARRIERS.tcp;
}
