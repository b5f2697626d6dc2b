/**
 * The protocols whose servers begin TLS when a client asks for it, as `openssl s_client -starttls`.
 *
 * @module
 */

/** The name of a protocol, as openssl has it. */
export type StartTlsProtocol =
  | "smtp"
  | "imap"
  | "pop3"
  | "ftp"
  | "xmpp"
  | "postgres"
  | "mysql"
  | "ldap";

/** All of them. */
export const STARTTLS_PROTOCOLS: readonly StartTlsProtocol[] = [
  "smtp",
  "imap",
  "pop3",
  "ftp",
  "xmpp",
  "postgres",
  "mysql",
  "ldap",
];
