/**
 * The TLS options of an outlet.
 *
 * @module
 */
import { file, TEXT } from "../options/kinds.ts";
import { flag, list, option, type TableOf } from "../options/option.ts";
import { KEY_PASSWORD_FILE } from "../transport/tls/client_options.ts";
import { UsageError } from "../options/usage_error.ts";

/** The values of an outlet's TLS options. Files are PEM. */
export interface TlsServerConfig {
  /** Whether the outlet uses TLS. */
  readonly tls: boolean;
  /** The file of the certificate chain. */
  readonly "tls-cert": string | undefined;
  /** The file of its key. */
  readonly "tls-key": string | undefined;
  /** The file of passphrases for encrypted keys. */
  readonly "tls-key-password-file": string | undefined;
  /** The files of further certificates, each with its key, for other server names. */
  readonly "tls-sni-cert": readonly string[];
  /** Whether to use the user's self-signed certificate. */
  readonly "tls-self-signed": boolean;
  /** The file of CA certificates for client certificates. */
  readonly "tls-client-ca": string | undefined;
  /** The supported application protocols (ALPN), most preferred first. */
  readonly alpn: readonly string[];
}

/** The options of {@linkcode TlsServerConfig}. */
export const TLS_SERVER_OPTIONS: TableOf<TlsServerConfig> = {
  tls: flag("use TLS; needs tls-cert or tls-self-signed"),
  "tls-cert": option(file("read"), "certificate and its chain (PEM)", {
    needs: ["tls"],
    excludes: ["tls-self-signed"],
  }),
  "tls-key": option(file("read"), "private key (PEM), unless tls-cert contains it", {
    needs: ["tls-cert"],
  }),
  "tls-key-password-file": KEY_PASSWORD_FILE,
  "tls-sni-cert": list(
    file("read"),
    "further certificate with its key (PEM), used if the client asks for a name of it (SNI)",
    { needs: ["tls-cert"] },
  ),
  "tls-self-signed": flag(
    "use a self-signed certificate, created once and kept; clients pin it",
    { needs: ["tls"] },
  ),
  "tls-client-ca": option(
    file("read"),
    "require a client certificate signed by a CA in this PEM file",
    { needs: ["tls"] },
  ),
  alpn: list(TEXT, "application protocols to accept, preferred first", {
    needs: ["tls"],
    placeholder: "NAME",
  }),
};

/**
 * Checks that an outlet with TLS has a certificate.
 *
 * @throws {UsageError} where it has none
 */
export function checkTls(options: TlsServerConfig): void {
  const { tls, "tls-cert": cert, "tls-self-signed": own } = options;
  if (tls && cert === undefined && !own) {
    throw new UsageError(
      "tls needs tls-cert, and tls-key if the key is in another file, or tls-self-signed",
      { option: "tls-cert" },
    );
  }
}
