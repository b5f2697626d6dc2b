/**
 * Asks a server in its own protocol to begin TLS.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";
import { Exchange, type ExchangeOptions } from "./exchange.ts";
import type { StartTlsProtocol } from "./protocols.ts";

/**
 * The exchange of a protocol, up to the server's go-ahead. Returns the server's greeting where it has
 * one: it does not send another one after TLS has begun.
 */
export type Negotiator = (exchange: Exchange) => Promise<string | void>;

/** The exchange of each protocol, imported on first use. */
export const NEGOTIATORS: Readonly<Record<StartTlsProtocol, () => Promise<Negotiator>>> = {
  smtp: async () => (await import("./smtp.ts")).smtp,
  imap: async () => (await import("./mailbox.ts")).imap,
  pop3: async () => (await import("./mailbox.ts")).pop3,
  ftp: async () => (await import("./smtp.ts")).ftp,
  xmpp: async () => (await import("./xmpp.ts")).xmpp,
  postgres: async () => (await import("./database.ts")).postgres,
  mysql: async () => (await import("./database.ts")).mysql,
  ldap: async () => (await import("./ldap.ts")).ldap,
};

/**
 * Asks the server for TLS, which has to begin next. Returns its greeting, if it has one.
 * @throws {Error} that the server does not offer it, or has sent more than its go-ahead
 */
export async function startTls(
  stream: ByteStream,
  { protocol, ...options }: ExchangeOptions & { readonly protocol: StartTlsProtocol },
): Promise<Uint8Array | undefined> {
  const negotiate = await NEGOTIATORS[protocol]();
  const exchange = new Exchange(stream, options);
  const greeting = await negotiate(exchange);
  exchange.end();
  return greeting ? Uint8Array.from(greeting, (letter) => letter.charCodeAt(0)) : undefined;
}
