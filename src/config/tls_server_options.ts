/**
 * What can be asked of an outlet's TLS.
 *
 * @module
 */
import { flag, list, option, type OptionKind, type TableOf, TEXT } from "../options/option.ts";
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

const FILE: OptionKind<string> = { ...TEXT, expects: "a file", placeholder: "FILE" };

/** What can be asked of an outlet's TLS. */
export const TLS_SERVER_OPTIONS: TableOf<TlsServerConfig> = {
  tls: flag("speak TLS; needs --tls-cert or --tls-self-signed"),
  "tls-cert": option(FILE, "the certificate (PEM), with those that lead to its authority"),
  "tls-key": option(FILE, "its key (PEM), where it is not in the same file"),
  "tls-self-signed": flag(
    "show a certificate of your own instead, made once and kept; clients pin it",
  ),
  "tls-client-ca": option(FILE, "let in only clients whose certificate one of these CAs signed"),
  alpn: list(TEXT, "application protocols that are spoken, the best first", {
    placeholder: "NAME",
  }),
};

/**
 * Looks at the options together.
 *
 * @throws {UsageError} which says what is missing, or what excludes what
 */
export function checkTls(options: TlsServerConfig): void {
  const { tls, "tls-cert": cert, "tls-key": key, "tls-self-signed": own } = options;
  if (key !== undefined && cert === undefined) {
    throw new UsageError("tls-key needs tls-cert: a key without its certificate is of no use");
  }
  if (tls && cert === undefined && !own) {
    throw new UsageError("tls needs tls-cert and tls-key, or tls-self-signed");
  }
}
