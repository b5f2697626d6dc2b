/**
 * What a certificate says, and what is wrong with it, in words.
 *
 * @module
 */
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from "node:tls";
import { ANY_USE, extendedKeyUsages, SERVER_AUTH, USES } from "./key_usage.ts";

/** A certificate, as people and logs want to see it. */
export interface Certificate {
  /** Whom it is for: `CN=example.org, O=Example`. */
  readonly subject: string;
  /** Who signed it. */
  readonly issuer: string;
  /** The names that it holds for: `DNS:example.org, IP Address:127.0.0.1`. */
  readonly names: string;
  /** From when it is valid. */
  readonly validFrom: Date;
  /** Until when it is valid. */
  readonly validTo: Date;
  /** The SHA-256 of its DER form: 64 hex digits, in lower case. */
  readonly fingerprint: string;
}

/** Reads what Node tells of a peer's certificate. */
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

/**
 * Why a certificate that nobody pinned is not to be trusted as `serverName`'s; `undefined` where it is.
 * `fault` is what the library found, where it found something.
 */
export function distrust(
  peer: DetailedPeerCertificate,
  { serverName, fault }: { serverName: string; fault: string | undefined },
): string | undefined {
  const { subject, names } = certificateOf(peer);
  const untimely = whyUntimely(peer);
  if (untimely !== undefined) return `the certificate ${untimely}`;
  if (checkServerIdentity(serverName, peer) !== undefined) {
    return `the certificate is for ${names || subject}, not for ${serverName}`;
  }
  return fault === undefined ? undefined : whyUntrusted(peer, { serverName, fault });
}

/** What the library's verdict means, where neither days nor names are wrong. */
function whyUntrusted(
  peer: DetailedPeerCertificate,
  { serverName, fault }: { serverName: string; fault: string },
): string {
  const { subject, issuer, names } = certificateOf(peer);
  if (fault === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return names === ""
      ? `the certificate has no subjectAltName, and the CN of ${subject} counts for none (RFC 9525)`
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
    return "the certificate is self-signed: nobody vouches for it; trust it with --tls-ca FILE, " +
      "or by its fingerprint with --tls-pin";
  }
  return `the certificate was signed by ${issuer}, which is not trusted here (${fault}); ` +
    "if it should be, name its certificate with --tls-ca FILE";
}

function whyUntimely(peer: PeerCertificate): string | undefined {
  const { validFrom, validTo } = certificateOf(peer);
  const now = Date.now();
  if (validTo.getTime() < now) return `expired on ${dayOf(validTo)}`;
  return validFrom.getTime() > now ? `is not valid before ${dayOf(validFrom)}` : undefined;
}

/** Those who vouch for it, as far as the server showed or we know them; the last vouches for itself. */
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
