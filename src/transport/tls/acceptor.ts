/**
 * TLS for the clients of an outlet: which certificate it shows today, and whom it asks for theirs.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import { X509Certificate } from "node:crypto";
import { explain } from "../errors.ts";
import { readPem } from "./pem.ts";
import { readServingPair } from "./serving_pair.ts";
import type { TlsContents, TlsServer } from "./accept.ts";

/** The files of an outlet that speaks TLS. They are PEM. */
export interface TlsFiles {
  /** The file of the certificate. */
  readonly certFile: string;
  /** The file of its key; the same one, where none is said. */
  readonly keyFile?: string | undefined;
  /** The file of the authorities that sign clients' certificates. */
  readonly clientCaFile?: string | undefined;
}

/** What an acceptor is made of. */
export interface TlsAcceptorOptions extends TlsFiles {
  /** The application protocols that are spoken here, the best first. */
  readonly alpn: readonly string[];
  /** Told when changed files can't be used, and the certificate from before stays. */
  onFault(reason: string): void;
}

/**
 * Shows the certificate that is in the files when a client comes: they are looked at for each, and read again
 * where they have changed.
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
   *
   * @throws {UsageError} which says which of them can't be used, and why
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

  /** The application protocols that are spoken here, the best first. */
  get alpn(): readonly string[] {
    return this.#options.alpn;
  }

  /** What is in the files now. */
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
      this.#options.onFault(`${explain(error)}; the certificate from before stays`);
    }
  }
}

/**
 * Reads the files of an outlet that speaks TLS, and tries whether clients can be served with them; unless they are as
 * they were `before`.
 *
 * @throws {UsageError} which says which of them can't be used, and why
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

/** The certificates of authorities: a file that holds none would turn every client away. */
async function readAuthorities(file: string | undefined): Promise<string | undefined> {
  const pem = await readPem(file, "tls-client-ca");
  if (pem === undefined) return undefined;
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  try {
    if (certificates === null) throw new Error("none");
    for (const certificate of certificates) new X509Certificate(certificate);
    return pem;
  } catch (cause) {
    const reason = "there is no certificate in it that can be read";
    throw new UsageError(`tls-client-ca ${file}: ${reason}`, { cause });
  }
}

/** What tells whether files have changed. */
interface Stamp {
  /** Differs when one of them has. */
  readonly text: string;
  /** Whether it will differ: ctime is told in whole seconds, in which a file can change twice. */
  readonly isSettled: boolean;
}

/** How old a change has to be before a later one is sure to differ from it, in milliseconds. */
const SETTLED = 2_000;

async function stampOf({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<Stamp> {
  const files = [certFile, keyFile, clientCaFile].filter((file) => file !== undefined);
  const now = Date.now();
  const stats = await Promise.all(
    files.map((file) => Deno.stat(file).catch(() => undefined)),
  );
  return {
    // mtime can be set by whoever writes the file; ctime cannot.
    text: stats.map((stat) =>
      `${stat?.ino} ${stat?.size} ${stat?.mtime?.getTime()} ${stat?.ctime?.getTime()}`
    ).join(),
    isSettled: stats.every((stat) => now - (stat?.ctime?.getTime() ?? 0) > SETTLED),
  };
}
