/**
 * Endpoints to connect to, as words: an address, and what is spoken over it: TLS, WebSocket.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { type Address, formatAddress, isUnix, overUdp, splitHostPort } from "./address.ts";
import { parseEndpoint, readPath } from "./parse.ts";
import { parseRequestTarget } from "./request_target.ts";

/** An address to connect to. */
export interface Remote {
  /** The address. */
  readonly address: Address;
  /** Whether TLS is spoken over it. */
  readonly tls: boolean;
  /** The request target of the WebSocket that is spoken over it; without it, none is. */
  readonly ws?: string | undefined;
}

/** What a {@linkcode Remote} looks like, in errors. */
const FORMS =
  "HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH, " +
  "udp://HOST:PORT, unix:PATH, or tls+, ws+ or wss+unix:PATH";

/** The ports of WebSockets (RFC 6455, section 3). */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { ws: "80", wss: "443" };

/** The option kind of an endpoint to connect to. */
export const REMOTE: OptionKind<Remote> = {
  expects: FORMS,
  placeholder: "HOST:PORT",
  write: formatRemote,
  parse(word) {
    // In the query of a SPEC, a plus sign is a space.
    const [, over = "", path] = /^(?:(tls|wss?)[+ ])?unix:(.*)$/is.exec(word) ?? [];
    if (path !== undefined) return overUnix(path, over.toLowerCase());
    const [, scheme = "tcp", rest = word] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(word) ?? [];
    if (!/^(tcp|tls|wss?|udp)$/i.test(scheme)) {
      throw new UsageError(
        `unknown scheme ${quote(scheme)}: expected tcp://, tls://, ws://, wss://, udp:// or unix:`,
      );
    }
    if (rest.startsWith("unix:")) {
      throw new UsageError(`a Unix socket with it is written ${scheme.toLowerCase()}+unix:PATH`);
    }
    return overInternet(rest, scheme.toLowerCase());
  },
};

function overUnix(word: string, over: string): Remote {
  if (!over.startsWith("ws")) return { address: { path: readPath(word) }, tls: over === "tls" };
  const [, path = "", query = ""] = /^([^?]*)(.*)$/s.exec(word) ?? [];
  return { address: { path: readPath(path) }, tls: over === "wss", ws: parseRequestTarget(query) };
}

function overInternet(word: string, scheme: string): Remote | undefined {
  const tls = scheme === "tls" || scheme === "wss";
  const port = DEFAULT_PORTS[scheme];
  if (port === undefined) {
    const parts = splitHostPort(word.replace(/\/$/, ""));
    const address = parts && parseEndpoint(parts);
    return address && { address: scheme === "udp" ? overUdp(address) : address, tls };
  }
  const [, host = "", target = ""] = /^([^/?#]*)(.*)$/s.exec(word) ?? [];
  if (host.includes("@")) {
    throw new UsageError("a user in the URL is not sent: use --header 'Authorization: …'");
  }
  const parts = splitHostPort(/:\d*$/.test(host) && !host.endsWith("]") ? host : `${host}:${port}`);
  return parts && { address: parseEndpoint(parts), tls, ws: parseRequestTarget(target) };
}

/** The endpoint as text: `db:5432`, `tls://db:5432`, `wss://db:443/x`, `ws+unix:/run/db.sock`. */
export function formatRemote({ address, tls, ws }: Remote): string {
  const place = formatAddress(address);
  const scheme = ws === undefined ? tls ? "tls" : "" : tls ? "wss" : "ws";
  if (scheme === "") return place;
  if (!isUnix(address)) return `${scheme}://${place}${ws ?? ""}`;
  return `${scheme}+${place}` +
    (ws === undefined || ws === "/" ? "" : `?path=${encodeURIComponent(ws)}`);
}
