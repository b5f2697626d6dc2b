/**
 * Reads a certificate and its key.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { isEncrypted, knownPassphrases } from "./passphrases.ts";
import { readPem } from "./pem.ts";

/** A certificate chain and its key (PEM). */
export interface KeyPair {
  /** The certificate, followed by its intermediates. */
  readonly cert: string;
  /** Its key. Secret. */
  readonly key: string;
}

/**
 * Reads a certificate and its key, by default from the same file. Errors name the files by their
 * options, which start with `prefix`.
 * @throws {UsageError} which file is invalid, or that the two do not belong together
 */
export async function readKeyPair(
  { certFile, keyFile = certFile, prefix = "tls" }: {
    certFile: string;
    keyFile?: string | undefined;
    prefix?: string;
  },
): Promise<KeyPair> {
  const cert = blocks(await readPem(certFile, `${prefix}-cert`), "CERTIFICATE");
  const key = blocks(await readPem(keyFile, `${prefix}-key`), "PRIVATE KEY");
  if (cert.includes("-----BEGIN TRUSTED CERTIFICATE-----")) {
    throw new UsageError(
      `${prefix}-cert ${certFile} contains a TRUSTED CERTIFICATE, which only openssl reads: ` +
        "openssl x509 -in FILE -out FILE converts it",
    );
  }
  const certificate = attempt(
    () => new X509Certificate(cert),
    `${prefix}-cert ${certFile}: no readable certificate in it`,
  );
  const secret = readKey(key, { keyFile, prefix });
  const isItsKey = attempt(
    () => text(createPublicKey(secret)) === text(certificate.publicKey),
    `${prefix}-cert ${certFile}: its key type is not supported, such as RSA-PSS`,
  );
  if (isItsKey) return { cert, key: isEncrypted(key) ? plain(secret) : key };
  throw new UsageError(`${prefix}-key ${keyFile} is not the key of ${prefix}-cert ${certFile}`);
}

/** The key, decrypted with the known passphrase. */
function readKey(
  key: string,
  { keyFile, prefix }: { keyFile: string; prefix: string },
): KeyObject {
  const passphrase = knownPassphrases.get(keyFile);
  if (isEncrypted(key) && passphrase === undefined) {
    throw new UsageError(
      `${prefix}-key ${keyFile}: it is encrypted, and its passphrase is only asked for at the ` +
        "start, at a terminal; openssl pkey -in FILE -out FILE converts it",
    );
  }
  return attempt(
    () => createPrivateKey(passphrase === undefined ? key : { key, format: "pem", passphrase }),
    `${prefix}-key ${keyFile}: no readable private key in it`,
  );
}

/** Whether a passphrase decrypts the key in a PEM text. */
export function canDecrypt(pem: string, passphrase: string): boolean {
  try {
    createPrivateKey({ key: blocks(pem, "PRIVATE KEY"), format: "pem", passphrase });
    return true;
  } catch {
    return false;
  }
}

function plain(key: KeyObject): string {
  return String(key.export({ type: "pkcs8", format: "pem" }));
}

/** The blocks of one kind in a PEM text, which may contain both certificates and keys. */
function blocks(pem: string, kind: string): string {
  const found = pem.matchAll(/-----BEGIN ([A-Z ]+)-----[^]*?-----END \1-----/g);
  return [...found].filter(([, label]) => label!.endsWith(kind)).map(([block]) => block + "\n")
    .join("");
}

/** A public key as text: Deno before 2.5 has no other comparison. */
function text(key: KeyObject): string {
  return String(key.export({ type: "spki", format: "pem" }));
}

/** Replaces the library's error, which could show parts of the key. */
function attempt<T>(read: () => T, fault: string): T {
  try {
    return read();
  } catch {
    throw new UsageError(fault);
  }
}
