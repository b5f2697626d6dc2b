/**
 * The notes about the TLS session with an upstream.
 *
 * @module
 */
import type { Connection } from "../../connection/connection.ts";
import type { TlsSession } from "../../transport/tls/connect.ts";

/** Notes what was agreed with the upstream, and why its certificate was trusted. */
export function noteSession(client: Connection, session: TlsSession): void {
  const { protocol, cipher, serverName, alpn, trust, fault } = session;
  const verified = trust === "nothing" ? `no, ${fault ?? "but nothing is wrong"}` : `by ${trust}`;
  const notes = {
    tls: protocol,
    "tls-cipher": cipher,
    sni: serverName,
    alpn,
    "tls-verified": verified,
  };
  for (const [name, value] of Object.entries(notes)) {
    if (value !== undefined) client.note(`upstream-${name}`, value);
  }
}
