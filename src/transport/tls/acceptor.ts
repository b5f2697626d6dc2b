/**
 * The certificates of an outlet with TLS, reloaded when their files change.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import { X509Certificate } from "node:crypto";
import { explain } from "../errors.ts";
import { readPem } from "./pem.ts";
import { readServingPair } from "./serving_pair.ts";
import type { TlsContents, TlsServer } from "./accept.ts";

/** The paths of an outlet's TLS files (PEM). */
export interface TlsFiles {
  /** The certificate. */
  readonly certFile: string;
  /** The key; by default it is in the file of the certificate. */
  readonly keyFile?: string | undefined;
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
  readonly #options: TlsAcceptorOptions;
  #contents: TlsContents;
  #stamp: Stamp;

  private constructor(options: TlsAcceptorOptions, contents: TlsContents, stamp: Stamp) {
    this.#options = options;
    this.#contents = contents;
    this.#stamp = stamp;
  }

  /**
   * Reads the files.
   * @throws {UsageError} which file is invalid, and why
   */
  static async open(options: TlsAcceptorOptions): Promise<TlsAcceptor> {
    const stamp = await stampOf(options);
    return new TlsAcceptor(options, await readTlsFiles(options), stamp);
  }

  /** The SHA-256 of the certificate, in lower-case hex. */
  get fingerprint(): string {
    const { cert } = this.#contents.pair;
    return new X509Certificate(cert).fingerprint256.replaceAll(":", "").toLowerCase();
  }

  /** The ALPN protocols, in order of preference. */
  get alpn(): readonly string[] {
    return this.#options.alpn;
  }

  /** The certificates that are in the files now. */
  async contents(): Promise<TlsContents> {
    await this.#refresh();
    return this.#contents;
  }

  async #refresh(): Promise<void> {
    const stamp = await stampOf(this.#options);
    if (stamp.text === this.#stamp.text && this.#stamp.isSettled) return;
    const isSame = stamp.text === this.#stamp.text;
    this.#stamp = stamp;
    try {
      this.#contents = await readTlsFiles(this.#options, this.#contents);
    } catch (error) {
      if (isSame) return;
      this.#options.onFault(`${explain(error)}; the previous certificate stays in use`);
    }
  }
}

/**
 * Reads the TLS files of an outlet and tests them with a handshake, unless they are the same as
 * `before`.
 * @throws {UsageError} which file is invalid, and why
 */
export async function readTlsFiles(
  { certFile, keyFile, clientCaFile }: TlsFiles,
  before?: TlsContents,
): Promise<TlsContents> {
  return {
    pair: await readServingPair({ certFile, keyFile, known: before?.pair }),
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

/** The stat fields that show whether files have changed. */
interface Stamp {
  /** The fields of all files as text. */
  readonly text: string;
  /**
   * Whether a later change is sure to change the text: ctime has a resolution of one second here.
   */
  readonly isSettled: boolean;
}

/** The age of the latest change from which it is settled, in milliseconds. */
const SETTLE_TIME = 2_000;

async function stampOf({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<Stamp> {
  const files = [certFile, keyFile, clientCaFile].filter((file) => file !== undefined);
  const now = Date.now();
  const stats = await Promise.all(
    files.map((file) => Deno.stat(file).catch(() => undefined)),
  );
  return {
    // Users can set mtime, but not ctime.
    text: stats.map((stat) =>
      `${stat?.ino} ${stat?.size} ${stat?.mtime?.getTime()} ${stat?.ctime?.getTime()}`
    ).join(),
    isSettled: stats.every((stat) => now - (stat?.ctime?.getTime() ?? 0) > SETTLE_TIME),
  };
}
