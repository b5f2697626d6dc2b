/**
 * The TLS settings of a client whose certificates are in files.
 *
 * @module
 */
import { type Address, isUnix } from "../../endpoint/address.ts";
import type { TlsClientConfig } from "./client_options.ts";
import type { TlsClientOptions } from "./connect.ts";
import { FileContents } from "./file_contents.ts";
import type { KeyPair } from "./key_pair.ts";
import { readPem } from "./pem.ts";

/** The TLS options of a client, without the one that turns TLS on. */
export type TlsClientSettings = Omit<TlsClientConfig, "tls">;

/** The settings for one server: everything but its name. */
export type NamelessTlsOptions = Omit<TlsClientOptions, "serverName">;

/**
 * Reads the files of a TLS client. Errors name the options, whose names start with `prefix`.
 * @throws {UsageError} which file is invalid, and why
 */
export async function readTlsClient(
  settings: TlsClientSettings,
  prefix: string,
): Promise<NamelessTlsOptions> {
  return {
    ca: await readPem(settings["tls-ca"], `${prefix}-ca`),
    ...await identityOf(settings, prefix),
    pins: settings["tls-pin"],
    insecure: settings["tls-insecure"],
    alpn: settings.alpn,
    starttls: settings.starttls,
    prefix,
  };
}

/** The name that a server's certificate is verified against. */
export function serverNameOf(
  address: Address,
  { "tls-server-name": name }: Pick<TlsClientSettings, "tls-server-name">,
): string {
  return name ?? (isUnix(address) ? "localhost" : address.hostname);
}

async function identityOf(
  settings: TlsClientSettings,
  prefix: string,
): Promise<KeyPair | undefined> {
  const { "tls-cert": certFile, "tls-key": keyFile } = settings;
  if (certFile === undefined) return undefined;
  const { readKeyPair } = await import("./key_pair.ts");
  const passwordFile = settings["tls-key-password-file"];
  return await readKeyPair({ certFile, keyFile, passwordFile, prefix });
}

/** Options of {@linkcode TlsConnector}. */
export interface TlsConnectorOptions {
  /** The TLS options. */
  readonly settings: TlsClientSettings;
  /** What the names of the options start with in errors. */
  readonly prefix: string;
  /** Called when changed files are invalid; what they had before stays in use. */
  onFault(reason: string): void;
}

/**
 * A TLS client for many connections: the files are looked at for each, and read again if they have
 * changed.
 */
export class TlsConnector {
  readonly #settings: TlsClientSettings;
  readonly #files: FileContents<NamelessTlsOptions>;

  /** Reads nothing yet. */
  constructor({ settings, prefix, onFault }: TlsConnectorOptions) {
    this.#settings = settings;
    this.#files = new FileContents({
      files: ["tls-ca", "tls-cert", "tls-key", "tls-key-password-file"].map((name) =>
        settings[name as "tls-ca"]
      ),
      read: () => readTlsClient(settings, prefix),
      onFault: (reason) => onFault(`${reason}; what was in it before stays in use`),
    });
  }

  /**
   * The options for a connection to this address.
   * @throws {UsageError} which file is invalid, and why
   */
  async optionsFor(address: Address): Promise<TlsClientOptions> {
    const serverName = serverNameOf(address, this.#settings);
    return { ...await this.#files.current(), serverName };
  }
}
