/**
 * Certificates: their fields, and why one is not trusted.
 *
 * @module
 */
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from "node:tls";
import { ANY_USE, extendedKeyUsages, SERVER_AUTH, USES } from "./key_usage.ts";

/** The fields of a certificate that are shown. */
export interface Certificate {
  /** The subject: `CN=example.org, O=Example`. */
  readonly subject: string;
  /** The issuer. */
  readonly issuer: string;
  /** The alternative names: `DNS:example.org, IP Address:127.0.0.1`. */
  readonly names: string;
  /** The start of its validity. */
  readonly validFrom: Date;
  /** The end of its validity. */
  readonly validTo: Date;
  /** The SHA-256 of the DER form: 64 hex digits, in lower case. */
  readonly fingerprint: string;
}

/** Converts Node's form of a peer's certificate. */
export function certificateOf(peer: PeerCertificate): Certificate {
  return {
    subject: nameOf(peer.subject),
    issuer: nameOf(peer.issuer),
    names: peer.subjectaltname ?? "",
    validFrom: new Date(peer.valid_from),
    validTo: new Date(peer.valid_to),
    fingerprint: plain(peer.fingerprint256),
  };
}

/** What a certificate is judged by. */
export interface Judgement {
  /** The name that it has to be for. */
  readonly serverName: string;
  /** The library's error. */
  readonly fault: string | undefined;
  /** What the names of the options that could help start with: `--tls`. */
  readonly prefix: string;
}

/** Why a certificate without a pin is not trusted for `serverName`; `undefined` if it is. */
export function distrust(
  peer: DetailedPeerCertificate,
  { serverName, fault, prefix }: Judgement,
): string | undefined {
  const { subject, names } = certificateOf(peer);
  const untimely = whyUntimely(peer);
  if (untimely !== undefined) return `the certificate ${untimely}`;
  if (checkServerIdentity(serverName, peer) !== undefined) {
    return `the certificate is for ${names || subject}, not for ${serverName}`;
  }
  return fault === undefined ? undefined : whyUntrusted(peer, { serverName, fault, prefix });
}

/** What the library's error means if neither dates nor names are wrong. */
function whyUntrusted(
  peer: DetailedPeerCertificate,
  { serverName, fault, prefix }: Judgement,
): string {
  const { subject, issuer, names } = certificateOf(peer);
  if (fault === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return names === ""
      ? `the certificate has no subjectAltName, and the CN of ${subject} is not used (RFC 9525)`
      : `the certificate is for ${names}, not for ${serverName}`;
  }
  const uses = extendedKeyUsages(peer.raw);
  if (uses !== undefined && !uses.has(SERVER_AUTH) && !uses.has(ANY_USE)) {
    return "the certificate is not for servers: its extended key usage is " +
      [...uses].map((use) => USES[use] ?? use).join(", ") + ", without serverAuth";
  }
  for (const above of issuersOf(peer)) {
    const untimely = whyUntimely(above);
    if (untimely !== undefined) {
      return `the certificate was signed by ${certificateOf(above).subject}, whose own ${untimely}`;
    }
  }
  if (subject === issuer) {
    return `the certificate is self-signed; trust it with ${prefix}-ca FILE, ` +
      `or by its fingerprint with ${prefix}-pin`;
  }
  return `the certificate was signed by ${issuer}, which is not trusted here (${fault}); ` +
    `to trust it, use ${prefix}-ca FILE`;
}

function whyUntimely(peer: PeerCertificate): string | undefined {
  const { validFrom, validTo } = certificateOf(peer);
  const now = Date.now();
  if (validTo.getTime() < now) return `expired on ${dayOf(validTo)}`;
  return validFrom.getTime() > now ? `is not valid before ${dayOf(validFrom)}` : undefined;
}

/** The issuers that are known, up to a self-signed one. */
function* issuersOf(peer: DetailedPeerCertificate): Generator<PeerCertificate> {
  const seen = new Set([peer.fingerprint256]);
  for (let at = peer.issuerCertificate; at && !seen.has(at.fingerprint256);) {
    seen.add(at.fingerprint256);
    yield at;
    at = at.issuerCertificate;
  }
}

/** `2026-11-22`, in UTC. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function nameOf(name: PeerCertificate["subject"] | undefined): string {
  const parts = Object.entries(name ?? {}).map(([key, value]) =>
    `${key}=${[value].flat().join("+")}`
  );
  return parts.length > 0 ? parts.join(", ") : "(nobody)";
}

function plain(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
