/**
 * TLS errors as text instead of OpenSSL's codes.
 *
 * @module
 */
import { explain } from "../errors.ts";
import type { ServerFlight } from "./server_flight.ts";

const WORDS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [
    /InvalidContentType|wrong version number|unexpected handshake message/i,
    "the other end does not speak TLS",
  ],
  [
    /CertificateRequired|certificate required/i,
    "the other end asks for a client certificate: name one with --tls-cert",
  ],
  [/UnknownCA|unknown ca/i, "the other end does not know the authority behind our certificate"],
  [/CertificateExpired/i, "the other end says that our certificate has expired"],
  [
    /BadCertificate|CertificateUnknown|certificate unknown/i,
    "the other end refuses our certificate",
  ],
  [/NoApplicationProtocol/i, "the two ends have no application protocol in common (ALPN)"],
  [/UnrecognisedName|unrecognized name/i, "the other end does not know the server name"],
  [/ProtocolVersion|protocol version/i, "the two ends have no TLS version in common"],
  [
    /HandshakeFailure|handshake failure/i,
    "the two ends have nothing in common to agree on: no cipher, no group or no signature scheme",
  ],
  [/peer sent no certificates|PEER_DID_NOT_RETURN/i, "the client showed no certificate"],
  [/BadRecordMac|decrypt/i, "what came was not encrypted with the agreed keys"],
  [
    /socket hang up|disconnected before secure|close_notify|unexpected eof/i,
    "the other end hung up",
  ],
];

/** The message of a TLS error on one line. */
export function explainTls(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? explain(error);
}

/** Why a handshake failed, given what the server has sent. */
export function explainHandshake(
  error: unknown,
  { flight, hasCertificate }: { flight: ServerFlight; hasCertificate: boolean },
): string {
  const isRefused = error instanceof Error &&
    /HandshakeFailure|handshake failure/i.test(error.message);
  if (!isRefused || !flight.hasChosen) return explainTls(error);
  if (!flight.asksForCertificate) {
    return "the other end chose a cipher, and then broke off without a reason (handshake_failure)";
  }
  return hasCertificate
    ? "the other end asked for a client certificate, and does not take ours"
    : "the other end asks for a client certificate: name one with --tls-cert";
}

/** A TLS error after the handshake, with a readable message. */
export function tlsFault(error: Error): Error {
  const said = explainTls(error);
  return said === explain(error) ? error : new Error(said, { cause: error });
}
