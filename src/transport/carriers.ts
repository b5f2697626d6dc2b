/**
 * The carriers that there are. `tests/transport/contract_test.ts` tests each of them by its being here.
 *
 * @module
 */
import { type Address, isUnix } from "../endpoint/address.ts";
import type { Carrier } from "./carrier.ts";
import { tcp } from "./carriers/tcp.ts";
import { unix } from "./carriers/unix.ts";

/** Each carrier, by what its addresses are called. */
export const CARRIERS = { tcp, unix };

/** What carries bytes to and from this address. */
export function carrierOf(address: Address): Carrier<Address> {
  return isUnix(address) ? CARRIERS.unix : CARRIERS.tcp;
}
