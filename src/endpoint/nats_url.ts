/**
 * Where a bus is, in one word.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { formatAddress, type InternetAddress } from "./address.ts";
import { parseEndpoint } from "./parse.ts";

/** A NATS server, or several of a cluster. */
export interface NatsUrl {
  /** Where its servers are. */
  readonly servers: readonly InternetAddress[];
  /** Whether it has to be reached over TLS. */
  readonly tls: boolean;
  /** Who we are there, or a token that says so. */
  readonly user: string | undefined;
  /** The password; a user without one is a token. */
  readonly password: string | undefined;
}

const DEFAULT_PORT = "4222";

/** A bus in one word: the URL of a NATS server, with the hosts of others behind commas. */
export const BUS: OptionKind<NatsUrl> = {
  expects: "nats://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…], or tls://…",
  placeholder: "URL",
  parse(word) {
    const [, scheme, user, password, hosts] =
      /^(nats|tls):\/\/(?:([^:@/]+)(?::([^@/]*))?@)?([^@/]+)\/?$/i.exec(word) ?? [];
    if (scheme === undefined || hosts === undefined) return undefined;
    return {
      servers: hosts.split(",").map(readServer),
      tls: scheme.toLowerCase() === "tls",
      user: decoded(user),
      password: decoded(password),
    };
  },
  write({ user, password, ...address }) {
    const word = formatBus(address);
    const who = [user, password].filter((part) => part !== undefined).map(encodeURIComponent);
    return who.length === 0 ? word : word.replace("://", `://${who.join(":")}@`);
  },
};

/** What people call the bus: its URL, without the user and the password. */
export function formatBus({ tls, servers }: Pick<NatsUrl, "tls" | "servers">): string {
  return `${tls ? "tls" : "nats"}://${servers.map(formatAddress).join(",")}`;
}

function readServer(word: string): InternetAddress {
  const [, bracketed, plain = "", port = DEFAULT_PORT] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(word) ?? [undefined, undefined, word];
  return parseEndpoint({ host: bracketed ?? plain, port });
}

function decoded(part: string | undefined): string | undefined {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    return part;
  }
}
