/**
 * What a certificate says, and what is wrong with it, in words.
 *
 * @module
 */
import { checkServerIdentity, type PeerCertificate } from "node:tls";

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
  peer: PeerCertificate,
  { serverName, fault }: { serverName: string; fault: string | undefined },
): string | undefined {
  const { subject, issuer, names, validFrom, validTo } = certificateOf(peer);
  const now = Date.now();
  if (validTo.getTime() < now) return `the certificate expired on ${dayOf(validTo)}`;
  if (validFrom.getTime() > now) return `the certificate is not valid before ${dayOf(validFrom)}`;
  if (checkServerIdentity(serverName, peer) !== undefined) {
    return `the certificate is for ${names || subject}, not for ${serverName}`;
  }
  if (fault === undefined) return undefined;
  if (subject === issuer) {
    return "the certificate is self-signed: nobody vouches for it; trust it with --tls-ca FILE, " +
      "or by its fingerprint with --tls-pin";
  }
  return `the certificate was signed by ${issuer}, which is not trusted here (${fault}); ` +
    "if it should be, name its certificate with --tls-ca FILE";
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
