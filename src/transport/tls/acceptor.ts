/**
 * The door of an outlet that speaks TLS: which certificate it shows today, and whom it asks for theirs.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import type { ByteStream } from "../stream.ts";
import { explain } from "../errors.ts";
import { type KeyPair, readKeyPair } from "./key_pair.ts";
import { readPem } from "./pem.ts";
import { acceptTls, type TlsServerSession } from "./accept.ts";

/** What a door is made of. Files are PEM. */
export interface TlsAcceptorOptions {
  /** The file of the certificate. */
  readonly certFile: string;
  /** The file of its key; the same one, where none is said. */
  readonly keyFile?: string | undefined;
  /** The file of the authorities that sign clients' certificates. */
  readonly clientCaFile?: string | undefined;
  /** The application protocols that are spoken here, the best first. */
  readonly alpn: readonly string[];
  /** Told when changed files can't be used, and the certificate from before stays. */
  onFault(reason: string): void;
}

/**
 * Shows the certificate that is in the files when a client comes: they are looked at for each, and read again
 * where they have changed.
 */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  #pair: KeyPair;
  #clientCa: string | undefined;
  #stamp: string;

  private constructor(options: TlsAcceptorOptions, contents: Contents, stamp: string) {
    this.#options = options;
    this.#pair = contents.pair;
    this.#clientCa = contents.clientCa;
    this.#stamp = stamp;
  }

  /**
   * Reads the files.
   *
   * @throws {Error} which says which of them can't be used, and why
   */
  static async open(options: TlsAcceptorOptions): Promise<TlsAcceptor> {
    const stamp = await stampOf(options);
    return new TlsAcceptor(options, await read(options), stamp);
  }

  /** The SHA-256 of the certificate, in lower-case hex. */
  get fingerprint(): string {
    return new X509Certificate(this.#pair.cert).fingerprint256.replaceAll(":", "").toLowerCase();
  }

  /**
   * Shakes hands with a client.
   *
   * @throws {Error} which says why the client is turned away
   */
  async accept(
    socket: ByteStream,
    signal: AbortSignal,
  ): Promise<{ socket: ByteStream; agreement: TlsServerSession }> {
    await this.#refresh();
    const { alpn } = this.#options;
    return await acceptTls(socket, { ...this.#pair, clientCa: this.#clientCa, alpn, signal });
  }

  async #refresh(): Promise<void> {
    const stamp = await stampOf(this.#options);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      const { pair, clientCa } = await read(this.#options);
      this.#pair = pair;
      this.#clientCa = clientCa;
    } catch (error) {
      this.#options.onFault(`${explain(error)}; the certificate from before stays`);
    }
  }
}

interface Contents {
  readonly pair: KeyPair;
  readonly clientCa: string | undefined;
}

async function read({ certFile, keyFile, clientCaFile }: TlsAcceptorOptions): Promise<Contents> {
  return {
    pair: await readKeyPair({ certFile, keyFile }),
    clientCa: await readPem(clientCaFile, "--tls-client-ca"),
  };
}

/** Differs when one of the files has changed. */
async function stampOf({ certFile, keyFile, clientCaFile }: TlsAcceptorOptions): Promise<string> {
  const files = [certFile, keyFile, clientCaFile].filter((file) => file !== undefined);
  const stamps = await Promise.all(files.map(async (file) => {
    const stat = await Deno.stat(file).catch(() => undefined);
    return `${stat?.ino} ${stat?.size} ${stat?.mtime?.getTime()}`;
  }));
  return stamps.join();
}
