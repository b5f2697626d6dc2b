/**
 * The `Host` field of a WebSocket request.
 *
 * @module
 */
import { type Address, formatAddress, isUnix, withoutZone } from "../../endpoint/address.ts";

/** The host and port of a server; a default port is left out (RFC 6455, section 4.1). */
export function hostField(address: Address, { tls }: { tls: boolean }): string {
  if (isUnix(address)) return "localhost";
  const { port } = address;
  const place = formatAddress({ hostname: withoutZone(address.hostname), port });
  return port === (tls ? 443 : 80) ? place.replace(/:\d+$/, "") : place;
}
