/**
 * Routes, as words: which clients go to which upstream, by server name or by protocol.
 *
 * @module
 */
import type { OptionKind } from "../../options/kinds.ts";
import { quote, unknownName, UsageError } from "../../options/usage_error.ts";
import { isHost, isIP, isUdp } from "../../endpoint/address.ts";
import { readHost } from "../../endpoint/parse.ts";
import { formatRemote, REMOTE, type Remote } from "../../endpoint/remote.ts";
import { PROTOCOLS } from "./first_bytes.ts";

/** An upstream for some of the clients. */
export interface Route extends Remote {
  /** Which clients: a server name, `*.NAME`, a protocol, or `else`. */
  readonly of: string;
}

/** The option kind of an upstream of streams, which are routed by their first bytes. */
export const STREAM_REMOTE: OptionKind<Remote> = {
  ...REMOTE,
  parse(word) {
    const remote = REMOTE.parse(word);
    if (!remote || !isUdp(remote.address)) return remote;
    throw new UsageError("only streams are routed by their first bytes, and this is UDP");
  },
};

/** The option kind of an upstream for the clients that ask for a server name. */
export const SNI_ROUTE: OptionKind<Route> = {
  expects: "HOST=UPSTREAM or *.HOST=UPSTREAM, such as www.example.org=10.0.0.1:443",
  placeholder: "HOST=UPSTREAM",
  write: formatRoute,
  parse: (word) => parseRoute(word, readPattern),
};

/** The option kind of an upstream for the clients of a protocol. */
export const PROTOCOL_ROUTE: OptionKind<Route> = {
  expects: `PROTOCOL=UPSTREAM, such as ssh=127.0.0.1:22; PROTOCOL is one of ${
    [...PROTOCOLS, "else"].join(", ")
  }`,
  placeholder: "PROTOCOL=UPSTREAM",
  write: formatRoute,
  parse: (word) => parseRoute(word, readProtocol),
};

function parseRoute(word: string, readOf: (word: string) => string): Route | undefined {
  const [, of, to] = /^([^=]+)=(.+)$/s.exec(word) ?? [];
  if (of === undefined || to === undefined) return undefined;
  const route = { of: readOf(of), ...STREAM_REMOTE.parse(to) };
  if (route.address === undefined) throw new UsageError(`${quote(to)}: expected ${REMOTE.expects}`);
  return route as Route;
}

function formatRoute(route: Route): string {
  return `${route.of}=${formatRemote(route)}`;
}

/** A host name, or `*.` and one, as in nginx: it stands for all names below it, at any depth. */
function readPattern(word: string): string {
  const [, star = "", name = word] = /^(\*\.)?(.*)$/s.exec(word) ?? [];
  if (name === "*" || (star === "" && name === "")) {
    throw new UsageError(`${quote(word)}: for all other names, use sni-default`);
  }
  const host = name.includes("*") ? undefined : readHost(name, "server name").toLowerCase();
  if (host === undefined || !isHost(host)) {
    throw new UsageError(
      `${quote(word)}: a wildcard is a whole first label, such as *.example.org`,
    );
  }
  if (isIP(host)) throw new UsageError(`${quote(word)}: clients ask for names, not for addresses`);
  return star + host;
}

function readProtocol(word: string): string {
  const choices = [...PROTOCOLS, "else"];
  if (choices.includes(word)) return word;
  throw unknownName(word, { noun: "protocol", choices });
}
