/**
 * The URL of a bus.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { formatAddress, type InternetAddress } from "./address.ts";
import { parseEndpoint } from "./parse.ts";

/** The URL of a NATS server or of several servers of a cluster. */
export interface NatsUrl {
  /** The addresses of the servers. */
  readonly servers: readonly InternetAddress[];
  /** Whether the servers require TLS. */
  readonly tls: boolean;
  /** The user, or a token if there is no password. */
  readonly user: string | undefined;
  /** The password; without one, `user` is a token. */
  readonly password: string | undefined;
}

const DEFAULT_PORT = "4222";

/** The option kind of a bus: the URL of a NATS server, with further hosts separated by commas. */
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
    const credentials = [user, password].filter((part) => part !== undefined).map(
      encodeURIComponent,
    );
    return credentials.length === 0 ? word : word.replace("://", `://${credentials.join(":")}@`);
  },
};

/** The URL of the bus without user and password. */
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
