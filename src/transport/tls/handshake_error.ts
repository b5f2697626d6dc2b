/**
 * Why a client's handshake failed, and the alert to send.
 *
 * @module
 */
import { createPrivateKey } from "node:crypto";
import { printable } from "../../terminal/printable.ts";
import { explain } from "../errors.ts";
import { type ClientHello, HANDSHAKE, readClientHello } from "./client_hello.ts";

/** The alerts that are sent (RFC 8446, section 6.2). */
const ALERT = {
  handshakeFailure: 40,
  decodeError: 50,
  protocolVersion: 70,
  internalError: 80,
  noApplicationProtocol: 120,
} as const;

/** A failed handshake. */
export interface HandshakeFailure {
  /** The reason. */
  readonly reason: string;
  /** The alert to send; without it, none. */
  readonly alert?: number;
}

/** What is known of a failed handshake. */
export interface HandshakeFacts {
  /** The first bytes from the client. */
  readonly received: Uint8Array;
  /** The server's key (PEM). */
  readonly key: string;
  /** The server's ALPN protocols. */
  readonly alpn: readonly string[];
}

/** What the library's error means for this client. */
export function handshakeFailure(error: Error, facts: HandshakeFacts): HandshakeFailure {
  const { message } = error;
  const { received } = facts;
  const alert = /received fatal alert: (\w+)/.exec(message)?.[1];
  if (alert !== undefined) return { reason: refusedBy(alert) };
  if (received.length > 0 && received[0] !== HANDSHAKE) {
    const reason = `the client does not use TLS: it sent ${beginning(received)}`;
    return { reason, alert: ALERT.decodeError };
  }
  if (/unsupported protocol/.test(message)) {
    return { reason: "no client can use the key or certificate", alert: ALERT.internalError };
  }
  if (/socket hang up|disconnected before secure|unexpected eof/i.test(message)) {
    return { reason: "the client disconnected during the handshake" };
  }
  const hello = readClientHello(received);
  if (/any known protocol|NoApplicationProtocol/.test(message)) {
    const reason = `no application protocol in common (ALPN): the client offers ` +
      `${formatList(hello?.alpn.map(printable))}, the server supports ${formatList(facts.alpn)}`;
    return { reason, alert: ALERT.noApplicationProtocol };
  }
  if (/peer is incompatible/.test(message)) return incompatible(message, { hello, facts });
  if (/decrypt|BadRecordMac/i.test(message)) {
    return { reason: "data from the client is not encrypted with the negotiated keys" };
  }
  if (/corrupt message|wrong version number|misbehaved|unexpected/i.test(message)) {
    return { reason: "the client sent an invalid TLS handshake", alert: ALERT.decodeError };
  }
  return { reason: explain(error) };
}

const TLS_1_2 = 0x0303;

/** Deno's cipher suites of TLS 1.3, and of TLS 1.2 by the kind of key. */
const SUITES = {
  tls13: [0x1301, 0x1302, 0x1303],
  ec: [0xc02b, 0xc02c, 0xcca9],
  rsa: [0xc02f, 0xc030, 0xcca8],
} as const;

const GROUPS: Readonly<Record<number, string>> = {
  23: "P-256",
  24: "P-384",
  25: "P-521",
  29: "X25519",
  30: "X448",
  4588: "X25519MLKEM768",
};

/** Deno's groups for the key exchange. */
const OUR_GROUPS: readonly number[] = [23, 24, 29, 4588];

function incompatible(
  message: string,
  { hello, facts }: { hello: ClientHello | undefined; facts: HandshakeFacts },
): HandshakeFailure {
  const alert = ALERT.handshakeFailure;
  if (hello && hello.version < TLS_1_2 || /Tls12NotOffered|DoesNotSupportTls12/.test(message)) {
    const offer = hello ? `${versionName(hello.version)} at most` : "none of them";
    const reason =
      `no TLS version in common: the client offers ${offer}, the server supports TLS 1.2 and 1.3`;
    return { reason, alert: ALERT.protocolVersion };
  }
  if (!hello) return { reason: "nothing the client offers is supported", alert };
  const kind = createPrivateKey(facts.key).asymmetricKeyType === "rsa" ? "rsa" : "ec";
  const offers = (suites: readonly number[]) =>
    hello.cipherSuites.some((suite) => suites.includes(suite));
  if (!offers(SUITES.tls13) && !offers(SUITES[kind])) {
    const other = kind === "rsa" ? "ec" : "rsa";
    const reason = offers(SUITES[other])
      ? `no cipher suite in common: the client's are for ${NAME[other]} keys, ` +
        `the server has an ${NAME[kind]} key`
      : `no cipher suite in common: the client offers ${formatList(hello.cipherSuites.map(hex))}`;
    return { reason, alert };
  }
  if (!hello.groups.some((group) => OUR_GROUPS.includes(group))) {
    const reason = `no key exchange group in common: the client offers ` +
      `${formatList(hello.groups.map(groupName))}, the server supports ${
        formatList(OUR_GROUPS.map(groupName))
      }`;
    return { reason, alert };
  }
  const reason = `no signature scheme in common: the client takes none that our ${NAME[kind]} ` +
    "key can make";
  return { reason, alert };
}

const NAME = { ec: "EC", rsa: "RSA" } as const;

function versionName(version: number): string {
  const SSL_3 = 0x0300;
  return version > SSL_3 ? `TLS 1.${version - SSL_3 - 1}` : "SSL 3.0";
}

function groupName(group: number): string {
  return GROUPS[group] ?? hex(group);
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(4, "0")}`;
}

/** The maximum number of listed items. */
const MAX_LISTED = 8;

function formatList(items: readonly string[] = []): string {
  if (items.length === 0) return "none";
  const rest = items.length - MAX_LISTED;
  return items.slice(0, MAX_LISTED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** The first line if it is text, else the first bytes. */
function beginning(bytes: Uint8Array): string {
  const [LINE, BYTES] = [40, 8];
  const [line = ""] = new TextDecoder().decode(bytes.subarray(0, LINE)).split(/\r?\n/);
  if (/^[\x20-\x7e]{2,}$/.test(line)) return JSON.stringify(line);
  return [...bytes.subarray(0, BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

const REFUSALS: Readonly<Record<string, string>> = {
  AccessDenied: "it denies access",
  BadCertificate: "it finds a fault in our certificate",
  CertificateExpired: "our certificate has expired or is not valid yet, by its clock",
  CertificateRevoked: "our certificate is revoked",
  CertificateUnknown: "it does not accept our certificate",
  DecryptError: "it could not verify our signature",
  HandshakeFailure: "nothing in common with the server",
  ProtocolVersion: "it speaks none of TLS 1.2 and 1.3",
  UnknownCA: "it does not know the authority behind our certificate",
  UnsupportedCertificate: "it cannot use a certificate like ours",
  UserCanceled: "it cancelled the handshake",
};

/** What the client's alert means. */
function refusedBy(alert: string): string {
  return `the client ended the handshake: ${REFUSALS[alert] ?? "unknown reason"} (alert ${alert})`;
}
