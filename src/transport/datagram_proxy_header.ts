/**
 * The PROXY protocol header of a datagram session.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import { proxyHeader } from "./proxy_protocol.ts";

/** Where a header of version 2 has the address family and the protocol. */
const FAMILY = 13;

/** The header of version 2 for the first datagram of a session. */
export function datagramProxyHeader(
  ends: { readonly source: Address; readonly destination: Address },
): Uint8Array<ArrayBuffer> {
  const header = proxyHeader("v2", ends).slice();
  // The low half of this byte is 1 for TCP and 2 for UDP; 0 if the addresses are omitted.
  if (header[FAMILY] !== 0) header[FAMILY]!++;
  return header;
}
