/**
 * The protocols whose servers begin TLS when a client asks for it, as `openssl s_client -starttls`.
 *
 * @module
 */

/** Their names, as openssl has them. */
export const STARTTLS_PROTOCOLS = [
  "smtp",
  "imap",
  "pop3",
  "ftp",
  "xmpp",
  "postgres",
  "mysql",
  "ldap",
] as const;

/** The name of a protocol. */
export type StartTlsProtocol = typeof STARTTLS_PROTOCOLS[number];
