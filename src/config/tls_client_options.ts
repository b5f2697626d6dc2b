/**
 * What can be asked of a client's TLS.
 *
 * @module
 */
import { file, type OptionKind, TEXT } from "../options/kinds.ts";
import { flag, list, option, type TableOf } from "../options/option.ts";

/** Whether to speak TLS, whom to trust, and who we are. Files are PEM. */
export interface TlsClientConfig {
  /** Whether to speak TLS; `tls://` says it too. */
  readonly tls: boolean;
  /** The file of the authorities to trust instead of the usual ones. */
  readonly "tls-ca": string | undefined;
  /** SHA-256 fingerprints of certificates, of which the server has to show one. */
  readonly "tls-pin": readonly string[];
  /** Whether to trust anyone. */
  readonly "tls-insecure": boolean;
  /** The file of our certificate. */
  readonly "tls-cert": string | undefined;
  /** The file of its key. */
  readonly "tls-key": string | undefined;
  /** The name that the server's certificate has to hold for, where it is not the target's host. */
  readonly "tls-server-name": string | undefined;
  /** The application protocols that we speak, the best first. */
  readonly alpn: readonly string[];
}

/** A certificate's SHA-256, in hex, with or without colons. */
const FINGERPRINT: OptionKind<string> = {
  expects: "a SHA-256 fingerprint: 64 hex digits, with or without colons",
  placeholder: "SHA256",
  read(word) {
    const digits = word.replace(/^sha256[:/ ]/i, "").replaceAll(":", "").toLowerCase();
    return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
  },
};

/** What can be asked of a client's TLS. */
export const TLS_CLIENT_OPTIONS: TableOf<TlsClientConfig> = {
  tls: flag("use TLS, as tls://HOST:PORT does"),
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
  "tls-server-name": option(TEXT, "name to send (SNI) and to verify in the certificate", {
    needs: ["tls"],
    placeholder: "NAME",
    defaultText: "the host",
  }),
  alpn: list(TEXT, "application protocols to offer, preferred first, such as h2,http/1.1", {
    needs: ["tls"],
    placeholder: "NAME",
  }),
};
