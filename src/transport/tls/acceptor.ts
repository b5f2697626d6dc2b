/**
 * The certificates of an outlet with TLS, reloaded when their files change.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import { X509Certificate } from "node:crypto";
import { FileContents } from "./file_contents.ts";
import { readPem } from "./pem.ts";
import { readNamedPairs } from "./named_pairs.ts";
import { readServingPair } from "./serving_pair.ts";
import type { TlsContents, TlsServer } from "./accept.ts";

/** The paths of an outlet's TLS files (PEM). */
export interface TlsFiles {
  /** The certificate. */
  readonly certFile: string;
  /** The key; by default it is in the file of the certificate. */
  readonly keyFile?: string | undefined;
  /** Passphrases for encrypted keys. */
  readonly passwordFile?: string | undefined;
  /** Further certificates, each with its key, for other server names. */
  readonly sniFiles?: readonly string[];
  /** The authorities for client certificates. */
  readonly clientCaFile?: string | undefined;
}

/** Options of {@linkcode TlsAcceptor}. */
export interface TlsAcceptorOptions extends TlsFiles {
  /** The ALPN protocols, in order of preference. */
  readonly alpn: readonly string[];
  /** Called when changed files are invalid; the last valid certificate stays. */
  onFault(reason: string): void;
}

/**
 * Serves the certificate that is in the files: they are checked for each connection, and reloaded
 * if they have changed.
 */
export class TlsAcceptor implements TlsServer {
  /** The ALPN protocols, in order of preference. */
  readonly alpn: readonly string[];
  readonly #files: FileContents<TlsContents>;

  private constructor({ alpn, ...options }: TlsAcceptorOptions) {
    this.alpn = alpn;
    this.#files = new FileContents({
      files: [
        ...[options.certFile, options.keyFile, options.passwordFile, options.clientCaFile],
        ...options.sniFiles ?? [],
      ],
      read: (before) => readTlsFiles(options, before),
      onFault: (reason) => options.onFault(`${reason}; the previous certificate stays in use`),
    });
  }

  /**
   * Reads the files.
   * @throws {UsageError} which file is invalid, and why
   */
  static async open(options: TlsAcceptorOptions): Promise<TlsAcceptor> {
    const acceptor = new TlsAcceptor(options);
    await acceptor.contents();
    return acceptor;
  }

  /** The SHA-256 of the certificate, in lower-case hex. */
  get fingerprint(): string {
    const { cert } = this.#files.latest!.pair;
    return new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase();
  }

  /** The certificates that are in the files now. */
  contents(): Promise<TlsContents> {
    return this.#files.current();
  }
}

/**
 * Reads the TLS files of an outlet and tests them with a handshake, unless they are the same as
 * `before`.
 * @throws {UsageError} which file is invalid, and why
 */
export async function readTlsFiles(
  { certFile, keyFile, passwordFile, sniFiles = [], clientCaFile }: TlsFiles,
  before?: TlsContents,
): Promise<TlsContents> {
  const pair = await readServingPair({ certFile, keyFile, passwordFile, known: before?.pair });
  return {
    pair,
    byName: await readNamedPairs(sniFiles, { first: pair, passwordFile, before: before?.byName }),
    clientCa: await readAuthorities(clientCaFile),
  };
}

/**
 * The certificates of the authorities. A file without any would reject every client, so it is an
 * error.
 */
async function readAuthorities(file: string | undefined): Promise<string | undefined> {
  const pem = await readPem(file, "tls-client-ca");
  if (pem === undefined) return undefined;
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  try {
    if (certificates === null) throw new Error("none");
    for (const certificate of certificates) new X509Certificate(certificate);
    return pem;
  } catch (cause) {
    const reason = "no readable certificate in it";
    throw new UsageError(`tls-client-ca ${file}: ${reason}`, { cause });
  }
}
