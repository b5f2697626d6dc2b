/**
 * Proxies and their URLs.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { UsageError } from "../options/usage_error.ts";
import { formatAddress, type InternetAddress } from "./address.ts";
import { parseEndpoint } from "./parse.ts";

/** A proxy to connect through. */
export interface Proxy {
  /**
   * The protocol. For `socks5` and `socks4`, names are resolved here; the others resolve names
   * themselves.
   */
  readonly scheme: "socks5" | "socks5h" | "socks4" | "socks4a" | "http";
  /** The address of the proxy. */
  readonly address: InternetAddress;
  /** The credentials for the proxy. */
  readonly credentials: Credentials | undefined;
  /** Whether Basic credentials are sent to an HTTP proxy before it asks for them, unencrypted. */
  readonly preemptive?: boolean;
}

/** A user and a password. Never shown. */
export interface Credentials {
  /** The user. */
  readonly user: string;
  /** The password; `undefined` if it has to be prompted for. */
  readonly password: string | undefined;
}

const DEFAULT_PORTS: Readonly<Record<Proxy["scheme"], string>> = {
  socks5: "1080",
  socks5h: "1080",
  socks4: "1080",
  socks4a: "1080",
  http: "3128",
};

/** The option kind of a proxy's URL. */
export const PROXY: OptionKind<Proxy> = {
  expects: "socks5://[USER[:PASSWORD]@]HOST:PORT, or socks5h://, socks4://, socks4a:// or http://",
  placeholder: "URL",
  write({ scheme, address, credentials }) {
    const login = credentials && [credentials.user, credentials.password]
      .filter((part) => part !== undefined).map(encodeURIComponent).join(":");
    return `${scheme}://${login === undefined ? "" : `${login}@`}${formatAddress(address)}`;
  },
  parse(word) {
    const [, scheme = "", user, password, authority = ""] =
      /^([a-z0-9]+):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/]+)\/?$/i.exec(word) ?? [];
    const name = scheme.toLowerCase();
    if (!isScheme(name)) return undefined;
    const [, host = "", port = DEFAULT_PORTS[name]] =
      /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority) ?? [];
    return {
      scheme: name,
      address: parseEndpoint({ host: host.replace(/^\[(.*)\]$/, "$1"), port }),
      credentials: user === undefined
        ? undefined
        : { user: decoded(user), password: password === undefined ? password : decoded(password) },
    };
  },
};

/** The option kind of `USER:PASSWORD`. */
export const CREDENTIALS: OptionKind<Credentials> = {
  expects: "USER:PASSWORD, or USER to be asked for the password",
  placeholder: "USER[:PASSWORD]",
  parse(word) {
    const [, user, password] = /^([^:]+)(?::(.*))?$/s.exec(word) ?? [];
    return user === undefined ? undefined : { user, password };
  },
};

/** The proxy without its credentials: `socks5 proxy 127.0.0.1:1080`. */
export function formatProxy({ scheme, address }: Proxy): string {
  return `${scheme} proxy ${formatAddress(address)}`;
}

/** Whether its protocol has passwords: SOCKS 4 only has a user. */
export function takesPassword({ scheme }: Proxy): boolean {
  return scheme !== "socks4" && scheme !== "socks4a";
}

/** Whether names are resolved here, because the protocol has no names or the scheme asks for it. */
export function takesAddresses({ scheme }: Proxy): boolean {
  return scheme === "socks5" || scheme === "socks4";
}

function isScheme(word: string): word is Proxy["scheme"] {
  return Object.hasOwn(DEFAULT_PORTS, word);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError("invalid % escape in the user or password: write % as %25");
  }
}
