/**
 * Passphrases of encrypted keys. They are asked for once, at the start, and kept in memory, because the key is read again
 * whenever its file changes.
 *
 * @module
 */

const known = new Map<string, string>();

/** All that are known, by the path of the key: workers get them from the main thread. */
export const knownPassphrases: ReadonlyMap<string, string> = known;

/** Keeps the passphrase of a key, until the process ends. */
export function rememberPassphrase(keyFile: string, passphrase: string): void {
  known.set(keyFile, passphrase);
}

/** Whether a PEM text holds an encrypted key (RFC 7468 section 11, or RFC 1421 as OpenSSL writes it). */
export function isEncrypted(pem: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED\s*$/m.test(pem);
}
