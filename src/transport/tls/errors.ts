/**
 * TLS errors as text instead of OpenSSL's codes.
 *
 * @module
 */
import { explain } from "../errors.ts";
import type { ServerFlight } from "./server_flight.ts";

const NO_CERTIFICATE = "the peer requires a client certificate";

const TEXTS: readonly (readonly [pattern: RegExp, text: string])[] = [
  [
    /InvalidContentType|wrong version number|unexpected handshake message/i,
    "the peer does not use TLS",
  ],
  [
    /CertificateRequired|certificate required/i,
    NO_CERTIFICATE,
  ],
  [/UnknownCA|unknown ca/i, "the peer does not trust the CA of our certificate"],
  [/CertificateExpired/i, "the peer reports that our certificate has expired"],
  [
    /BadCertificate|CertificateUnknown|certificate unknown/i,
    "the peer rejected our certificate",
  ],
  [/NoApplicationProtocol/i, "no application protocol in common (ALPN)"],
  [/UnrecognisedName|unrecognized name/i, "the peer does not know the server name (SNI)"],
  [/ProtocolVersion|protocol version/i, "no TLS version in common"],
  [
    /HandshakeFailure|handshake failure/i,
    "no cipher suite, group or signature algorithm in common",
  ],
  [/peer sent no certificates|PEER_DID_NOT_RETURN/i, "the client sent no certificate"],
  [/BadRecordMac|decrypt/i, "received data is not encrypted with the negotiated keys"],
  [
    /socket hang up|disconnected before secure|close_notify|unexpected eof/i,
    "the peer closed the connection",
  ],
];

/** The message of a TLS error on one line. */
export function explainTls(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? explain(error);
}

/** Why a handshake failed, given what the server has sent. */
export function explainHandshake(
  error: unknown,
  { flight, hasCertificate, certOption }: {
    flight: ServerFlight;
    hasCertificate: boolean;
    /** The option that gives the client's certificate. */
    certOption: string;
  },
): string {
  const isRefused = error instanceof Error &&
    /HandshakeFailure|handshake failure/i.test(error.message);
  if (!isRefused || !flight.hasChosen) {
    const text = explainTls(error);
    return text === NO_CERTIFICATE ? `${text}: use ${certOption}` : text;
  }
  if (!flight.asksForCertificate) {
    return "the peer ended the handshake after choosing a cipher suite (handshake_failure)";
  }
  return hasCertificate
    ? "the peer does not accept our client certificate"
    : `${NO_CERTIFICATE}: use ${certOption}`;
}

/**
 * A TLS error after the handshake, with a readable message. In TLS 1.3, a server requires the client's
 * certificate, which `certOption` gives, only then.
 */
export function tlsFault(error: Error, certOption?: string): Error {
  const text = explainTls(error);
  const message = text === NO_CERTIFICATE && certOption ? `${text}: use ${certOption}` : text;
  return message === explain(error) ? error : new Error(message, { cause: error });
}
