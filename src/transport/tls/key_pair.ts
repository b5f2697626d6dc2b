/**
 * Reads a certificate and its key.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { explain } from "../errors.ts";
import { isEncrypted, knownPassphrases } from "./passphrases.ts";
import { readPem } from "./pem.ts";

/** A certificate chain and its key (PEM). */
export interface KeyPair {
  /** The certificate, followed by its intermediates. */
  readonly cert: string;
  /** Its key. Secret. */
  readonly key: string;
}

/** The files of a certificate and its key (PEM). */
export interface KeyPairFiles {
  /** The certificate. */
  readonly certFile: string;
  /** The key; by default it is in the file of the certificate. */
  readonly keyFile?: string | undefined;
  /** Passphrases for an encrypted key, one a line, which are tried in turn. */
  readonly passwordFile?: string | undefined;
  /** What the names of the options start with; `tls` by default. */
  readonly prefix?: string | undefined;
  /** The option that names the certificate, if it is not `tls-cert` after that prefix. */
  readonly option?: string | undefined;
}

/**
 * Reads a certificate and its key, by default from the same file. Errors name the files by their
 * options, which start with `prefix`.
 * @throws {UsageError} which file is invalid, or that the two do not belong together
 */
export async function readKeyPair(
  { certFile, keyFile = certFile, passwordFile, prefix = "tls", option = `${prefix}-cert` }:
    KeyPairFiles,
): Promise<KeyPair> {
  const cert = blocks(await readPem(certFile, option), "CERTIFICATE");
  const keyOption = option === `${prefix}-cert` ? `${prefix}-key` : option;
  const key = blocks(await readPem(keyFile, keyOption), "PRIVATE KEY");
  if (cert.includes("-----BEGIN TRUSTED CERTIFICATE-----")) {
    throw new UsageError(
      `${option} ${certFile} contains a TRUSTED CERTIFICATE, which only openssl reads: ` +
        "openssl x509 -in FILE -out FILE converts it",
    );
  }
  const certificate = attempt(
    () => new X509Certificate(cert),
    `${option} ${certFile}: no readable certificate in it`,
  );
  const passwords = await readPasswords(passwordFile, `${prefix}-key-password-file`);
  const secret = readKey(key, { file: `${keyOption} ${keyFile}`, keyFile, passwords, prefix });
  const isItsKey = attempt(
    () => text(createPublicKey(secret)) === text(certificate.publicKey),
    `${option} ${certFile}: its key type is not supported, such as RSA-PSS`,
  );
  if (isItsKey) return { cert, key: isEncrypted(key) ? plain(secret) : key };
  throw new UsageError(`${keyOption} ${keyFile} is not the key of ${option} ${certFile}`);
}

/** The passphrases in a file. */
async function readPasswords(
  file: string | undefined,
  option: string,
): Promise<Passwords | undefined> {
  if (file === undefined) return undefined;
  const name = `${option} ${file}`;
  const text = await Deno.readTextFile(file).catch((cause) => {
    throw new UsageError(`${name}: cannot read it: ${explain(cause)}`, { cause });
  });
  return { name, passphrases: text.split("\n").map((line) => line.replace(/\r$/, "")) };
}

interface Passwords {
  readonly name: string;
  readonly passphrases: readonly string[];
}

/** The key, decrypted with a passphrase from the file or the one that was asked for. */
function readKey(
  key: string,
  { file, keyFile, passwords, prefix }: {
    file: string;
    prefix: string;
    keyFile: string;
    passwords: Passwords | undefined;
  },
): KeyObject {
  const isLocked = isEncrypted(key);
  const passphrase = passwords
    ? passwords.passphrases.find((one) => isLocked && canDecrypt(key, one))
    : knownPassphrases.get(keyFile);
  if (isLocked && passphrase === undefined) {
    throw new UsageError(
      passwords
        ? `${passwords.name}: no line of it decrypts ${file}`
        : `${file}: it is encrypted, and its passphrase is only asked for at the start, at a ` +
          "terminal; openssl pkey -in FILE -out FILE converts it" +
          (prefix === "console" ? "" : `, ${prefix}-key-password-file FILE has it`),
    );
  }
  return attempt(
    () => createPrivateKey(passphrase === undefined ? key : { key, format: "pem", passphrase }),
    `${file}: no readable private key in it`,
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
