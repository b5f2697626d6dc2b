/**
 * The extended key usage of a certificate (RFC 5280, section 4.2.1.12), which only newer versions
 * of Node's library report.
 *
 * @module
 */

/** TLS servers. */
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

/** Any use. */
export const ANY_USE = "2.5.29.37.0";

/** The usual purposes by name. */
export const USES: Readonly<Record<string, string>> = {
  [SERVER_AUTH]: "serverAuth",
  [ANY_USE]: "any",
  "1.3.6.1.5.5.7.3.2": "clientAuth",
  "1.3.6.1.5.5.7.3.3": "codeSigning",
  "1.3.6.1.5.5.7.3.4": "emailProtection",
  "1.3.6.1.5.5.7.3.8": "timeStamping",
  "1.3.6.1.5.5.7.3.9": "OCSPSigning",
};

/** The object identifier of the extension, 2.5.29.37, in DER. */
const EXTENSION = [0x06, 0x03, 0x55, 0x1d, 0x25];

const TAG = { boolean: 0x01, octets: 0x04, identifier: 0x06, sequence: 0x30 } as const;

/**
 * The purposes of a certificate in DER as object identifiers; `undefined` without the extension. It
 * is found by searching for its identifier, without parsing the certificate: good enough for
 * messages, not for trust.
 */
export function extendedKeyUsages(der: Uint8Array): Set<string> | undefined {
  const start = der.findIndex((_, at) => EXTENSION.every((byte, i) => der[at + i] === byte));
  if (start === -1) return undefined;
  let at = start + EXTENSION.length;
  if (der[at] === TAG.boolean) at += 3;
  if (der[at] !== TAG.octets || der[at + 2] !== TAG.sequence) return undefined;
  const end = at + 4 + der[at + 3]!;
  const uses = new Set<string>();
  for (at += 4; at < end && der[at] === TAG.identifier;) {
    const length = der[at + 1]!;
    uses.add(identifier(der.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  return uses;
}

/** An object identifier in dotted form. */
function identifier([first = 0, ...rest]: Uint8Array): string {
  const parts = [Math.floor(first / 40), first % 40];
  let value = 0;
  for (const byte of rest) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(value);
      value = 0;
    }
  }
  return parts.join(".");
}
