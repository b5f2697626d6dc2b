/**
 * Endpoints to connect to, as words: an address, and whether TLS is spoken over it.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { type Address, formatAddress, isUnix, splitHostPort } from "./address.ts";
import { parseEndpoint, readPath } from "./parse.ts";

/** An address to connect to. */
export interface Remote {
  /** The address. */
  readonly address: Address;
  /** Whether TLS is spoken over it. */
  readonly tls: boolean;
}

/** What a {@linkcode Remote} looks like, in errors. */
const FORMS = "HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT, unix:PATH or tls+unix:PATH";

/** The option kind of an endpoint to connect to. */
export const REMOTE: OptionKind<Remote> = {
  expects: FORMS,
  placeholder: "HOST:PORT",
  write: formatRemote,
  parse(word) {
    // In the query of a SPEC, a plus sign is a space.
    const [, secure, path] = /^(tls[+ ])?unix:(.*)$/is.exec(word) ?? [];
    if (path !== undefined) return { address: { path: readPath(path) }, tls: !!secure };
    const [, scheme = "tcp", rest = word] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(word) ?? [];
    if (!/^(tcp|tls)$/i.test(scheme)) {
      throw new UsageError(
        `unknown scheme ${quote(scheme)}: expected tcp://, tls://, unix: or tls+unix:`,
      );
    }
    if (rest.startsWith("unix:")) {
      throw new UsageError("a Unix socket with TLS is written tls+unix:PATH");
    }
    const parts = splitHostPort(rest.replace(/\/$/, ""));
    return parts && { address: parseEndpoint(parts), tls: scheme.toLowerCase() === "tls" };
  },
};

/** The endpoint as text: `db:5432`, `tls://db:5432`, `tls+unix:/run/db.sock`. */
export function formatRemote({ address, tls }: Remote): string {
  if (!tls) return formatAddress(address);
  return (isUnix(address) ? "tls+" : "tls://") + formatAddress(address);
}
