/**
 * Proxies: how one is named, and what it speaks.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { UsageError } from "../options/usage_error.ts";
import { formatAddress, type InternetAddress } from "./address.ts";
import { parseEndpoint } from "./parse.ts";

/** Somebody who connects in our stead. */
export interface Proxy {
  /** What it speaks. `socks5` and `socks4` are given addresses that were looked up here, the others names. */
  readonly scheme: "socks5" | "socks5h" | "socks4" | "socks4a" | "http";
  /** Where it is. */
  readonly address: InternetAddress;
  /** Who we are to it. */
  readonly credentials: Credentials | undefined;
  /** Whether an HTTP proxy is told them before it asks, for whoever reads along. */
  readonly preemptive?: boolean;
}

/** A name and a password, which are never shown. */
export interface Credentials {
  /** The name. */
  readonly user: string;
  /** The password; `undefined` if it has to be asked for. */
  readonly password: string | undefined;
}

const DEFAULT_PORTS: Readonly<Record<Proxy["scheme"], string>> = {
  socks5: "1080",
  socks5h: "1080",
  socks4: "1080",
  socks4a: "1080",
  http: "3128",
};

/** A proxy in one word. */
export const PROXY: OptionKind<Proxy> = {
  expects: "socks5://[USER[:PASSWORD]@]HOST:PORT, or socks5h://, socks4://, socks4a:// or http://",
  placeholder: "URL",
  parse(word) {
    const [, scheme = "", user, password, place = ""] =
      /^([a-z0-9]+):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/]+)\/?$/i.exec(word) ?? [];
    const name = scheme.toLowerCase();
    if (!isScheme(name)) return undefined;
    const [, host = "", port = DEFAULT_PORTS[name]] =
      /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place) ?? [];
    return {
      scheme: name,
      address: parseEndpoint({ host: host.replace(/^\[(.*)\]$/, "$1"), port }),
      credentials: user === undefined
        ? undefined
        : { user: decoded(user), password: password === undefined ? password : decoded(password) },
    };
  },
};

/** A name and a password in one word. */
export const CREDENTIALS: OptionKind<Credentials> = {
  expects: "USER:PASSWORD, or USER to be asked for the password",
  placeholder: "USER[:PASSWORD]",
  parse(word) {
    const [, user, password] = /^([^:]+)(?::(.*))?$/s.exec(word) ?? [];
    return user === undefined ? undefined : { user, password };
  },
};

/** `socks5 proxy 127.0.0.1:1080`: without credentials. */
export function formatProxy({ scheme, address }: Proxy): string {
  return `${scheme} proxy ${formatAddress(address)}`;
}

/** Whether a user of it has a password: SOCKS 4 has a user alone. */
export function takesPassword({ scheme }: Proxy): boolean {
  return scheme !== "socks4" && scheme !== "socks4a";
}

/** Whether names are looked up here, because the proxy takes addresses alone, or was asked to get those. */
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
    throw new UsageError("a % in the name or password stands for nothing: write it as %25");
  }
}
