/**
 * The TLS options of a client.
 *
 * @module
 */
import { choice, file, type OptionKind, TEXT } from "../../options/kinds.ts";
import { HOST } from "../../endpoint/parse.ts";
import { STARTTLS_PROTOCOLS, type StartTlsProtocol } from "../starttls/protocols.ts";
import { flag, list, type Option, option, type TableOf } from "../../options/option.ts";

/** The values of a client's TLS options. Files are PEM. */
export interface TlsClientConfig {
  /** Whether to use TLS; also set by `tls://`. */
  readonly tls: boolean;
  /** The protocol in which the server is asked to begin TLS. */
  readonly starttls: StartTlsProtocol | undefined;
  /** The file of CA certificates to trust instead of the system's. */
  readonly "tls-ca": string | undefined;
  /** SHA-256 fingerprints, one of which the server's certificate must have. */
  readonly "tls-pin": readonly string[];
  /** Whether to accept any certificate. */
  readonly "tls-insecure": boolean;
  /** The file of the client certificate. */
  readonly "tls-cert": string | undefined;
  /** The file of its key. */
  readonly "tls-key": string | undefined;
  /** The file of passphrases for it. */
  readonly "tls-key-password-file": string | undefined;
  /** The name to verify the server's certificate against; the host by default. */
  readonly "tls-server-name": string | undefined;
  /** The application protocols to offer (ALPN), most preferred first. */
  readonly alpn: readonly string[];
}

/** The SHA-256 of a certificate in hex, with or without colons. */
const FINGERPRINT: OptionKind<string> = {
  expects: "a SHA-256 fingerprint: 64 hex digits, with or without colons",
  placeholder: "SHA256",
  parse(word) {
    const digits = word.replace(/^sha256[:/ ]/i, "").replaceAll(":", "").toLowerCase();
    return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
  },
};

/** The option for passphrases of keys, of clients and servers. */
export const KEY_PASSWORD_FILE: Option<string | undefined> = option(
  file("read"),
  "passphrases for encrypted keys, one a line; without it, they are asked for at a terminal",
  { needs: ["tls-cert"] },
);

/** The options of {@linkcode TlsClientConfig}. */
export const TLS_CLIENT_OPTIONS: TableOf<TlsClientConfig> = {
  tls: flag("use TLS, as tls://HOST:PORT does"),
  starttls: option(
    choice(STARTTLS_PROTOCOLS),
    `ask the server to begin TLS (STARTTLS), in this protocol: ${STARTTLS_PROTOCOLS.join(", ")}`,
    { placeholder: "PROTOCOL", excludes: ["ws"] },
  ),
  "tls-ca": option(
    file("read"),
    "trust the CA certificates in this PEM file instead of the default ones",
    { needs: ["tls"] },
  ),
  "tls-pin": list(
    FINGERPRINT,
    "accept only a server certificate with this SHA-256 fingerprint",
    {
      needs: ["tls"],
    },
  ),
  "tls-insecure": flag("do not verify the server's certificate; for tests only", {
    needs: ["tls"],
  }),
  "tls-cert": option(file("read"), "client certificate (PEM), sent if the server requests one", {
    needs: ["tls"],
  }),
  "tls-key": option(file("read"), "private key (PEM), unless tls-cert contains it", {
    needs: ["tls-cert"],
  }),
  "tls-key-password-file": KEY_PASSWORD_FILE,
  "tls-server-name": option(HOST, "name to send (SNI) and to verify in the certificate", {
    needs: ["tls"],
    placeholder: "NAME",
    defaultText: "the host",
  }),
  alpn: list(TEXT, "application protocols to offer, preferred first, such as h2,http/1.1", {
    needs: ["tls"],
    placeholder: "NAME",
  }),
};
