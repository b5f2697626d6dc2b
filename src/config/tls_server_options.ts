/**
 * What can be asked of an outlet's TLS.
 *
 * @module
 */
import { file, TEXT } from "../options/kinds.ts";
import { flag, list, option, type TableOf } from "../options/option.ts";
import { UsageError } from "../options/usage_error.ts";

/** Whether an outlet speaks TLS, and who it is. Files are PEM. */
export interface TlsServerConfig {
  /** Whether it does. */
  readonly tls: boolean;
  /** The file of the certificate. */
  readonly "tls-cert": string | undefined;
  /** The file of its key. */
  readonly "tls-key": string | undefined;
  /** Whether to show the user's own certificate, which nobody vouches for. */
  readonly "tls-self-signed": boolean;
  /** The file of the authorities that sign clients' certificates. */
  readonly "tls-client-ca": string | undefined;
  /** The application protocols that are spoken, the best first. */
  readonly alpn: readonly string[];
}

/** What can be asked of an outlet's TLS. */
export const TLS_SERVER_OPTIONS: TableOf<TlsServerConfig> = {
  tls: flag("use TLS; needs tls-cert or tls-self-signed"),
  "tls-cert": option(file("read"), "certificate and its chain (PEM)", {
    needs: ["tls"],
    excludes: ["tls-self-signed"],
  }),
  "tls-key": option(file("read"), "private key (PEM), unless tls-cert contains it", {
    needs: ["tls-cert"],
  }),
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
 * Looks for a certificate.
 *
 * @throws {UsageError} where there is none
 */
export function checkTls(options: TlsServerConfig): void {
  const { tls, "tls-cert": cert, "tls-self-signed": own } = options;
  if (tls && cert === undefined && !own) {
    throw new UsageError(
      "tls needs tls-cert, and tls-key where it is not in that file, or tls-self-signed",
      { option: "tls-cert" },
    );
  }
}
