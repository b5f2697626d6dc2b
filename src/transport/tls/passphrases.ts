/**
 * Passphrases of encrypted keys. They are prompted for at the start and kept in memory, because a
 * key is read again whenever its file changes.
 *
 * @module
 */

const known = new Map<string, string>();

/** The passphrases by the path of the key. Workers get them from the main thread. */
export const knownPassphrases: ReadonlyMap<string, string> = known;

/** Stores the passphrase of a key until the process ends. */
export function rememberPassphrase(keyFile: string, passphrase: string): void {
  known.set(keyFile, passphrase);
}

/** Whether a PEM text has an encrypted key (RFC 7468 section 11, or RFC 1421 in OpenSSL's form). */
export function isEncrypted(pem: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED\s*$/m.test(pem);
}
