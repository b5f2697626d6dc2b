/**
 * Parses addresses on the command line and in config files.
 *
 * @module
 */
import { type OptionKind, PORT } from "../options/kinds.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import {
  type Address,
  formatAddress,
  type InternetAddress,
  isAbstract,
  isHost,
  isIP,
  lacksZone,
  overUdp,
  splitHostPort,
  zoneNeeded,
} from "./address.ts";
import { readPorts } from "./ports.ts";

/** The maximum length of `sun_path` on Linux in bytes, without the terminating zero. */
const MAX_PATH = 107;

/** The host that outlets listen on by default. */
export const DEFAULT_HOST = "127.0.0.1";

/**
 * The option kind of an address to listen on: `HOST:PORT`, or `:PORT` on {@linkcode DEFAULT_HOST}.
 */
export const LISTEN: OptionKind<InternetAddress> = {
  expects: "HOST:PORT or :PORT",
  placeholder: "HOST:PORT",
  write: formatAddress,
  parse(word) {
    const parts = splitHostPort(word);
    return parts && parseListen(parts);
  },
};

/**
 * The option kind of an outlet's addresses: `HOST:PORTS`, `:PORTS` on {@linkcode DEFAULT_HOST}, the
 * same after `udp://`, or `unix:PATH`.
 */
export const OUTLET_LISTEN: OptionKind<Listens> = {
  expects:
    "HOST:PORT, :PORT, udp://HOST:PORT or unix:PATH; PORT may be a list such as 7000-7009,7020",
  placeholder: "HOST:PORT",
  parse(word) {
    if (word.startsWith("unix:")) return [{ path: readPath(word.slice("unix:".length)) }];
    const endpoint = word.replace(/^udp:\/\//i, "");
    const parts = splitHostPort(endpoint);
    const listens = parts && parseListens(parts);
    return listens && endpoint !== word ? listensOverUdp(listens) : listens;
  },
};

/** One address to listen on for each port of a list. */
export type Listens = readonly [Address, ...Address[]];

/** The same where they have hosts and ports. */
export type InternetListens = readonly [InternetAddress, ...InternetAddress[]];

/** The same hosts and ports of UDP. */
export function listensOverUdp([first, ...others]: InternetListens): Listens {
  return [overUdp(first), ...others.map(overUdp)];
}

/** The most ports in one list. Each is an outlet, with a welcome socket of its own. */
const MAX_PORTS = 1024;

/** Parses an address to listen on, whose port may be a list; the host may be empty. */
export function parseListens({ host, port }: { host: string; port: string }): InternetListens {
  const { hostname } = parseListen({ host, port: "0" });
  const [first, ...others] = readPorts(port, { most: MAX_PORTS }).map((port) => ({
    hostname,
    port,
  }));
  return [first!, ...others];
}

/** Parses an address to listen on; the host may be empty. */
export function parseListen({ host, port }: { host: string; port: string }): InternetAddress {
  return {
    hostname: host === "" ? DEFAULT_HOST : readHost(host, "host"),
    port: readPort(port, "port"),
  };
}

/** Parses an address to connect to. */
export function parseEndpoint({ host, port }: { host: string; port: string }): InternetAddress {
  if (host === "") throw new UsageError("the host is missing before the port");
  const address = { hostname: readHost(host, "host"), port: readPort(port, "port") };
  if (address.port !== 0) return address;
  throw new UsageError(`port "0": expected a port to connect to, 1 to 65535`);
}

/** Parses the path of a Unix socket, also as `//PATH`, or an abstract name: `@NAME`. */
export function readPath(path: string): string {
  const read = path.replace(/^\/\/+(?=\/)/, "");
  const isEmpty = read === "" || read === "@" || read.includes("\0");
  if (isEmpty || (!isAbstract(read) && read.endsWith("/"))) {
    throw new UsageError("expected a path, such as unix:/run/echo.sock, or unix:@NAME");
  }
  if (new TextEncoder().encode(read).length > MAX_PATH) {
    throw new UsageError(
      `the path is too long: at most ${MAX_PATH} bytes for a Unix socket`,
    );
  }
  return read;
}

/** Parses a host; a name in other letters than ASCII's becomes `xn--…`. `where` is the prefix in errors. */
export function readHost(word: string, where: string): string {
  if (lacksZone(word)) throw new UsageError(`${where} ${quote(word)}: ${zoneNeeded(word)}`);
  if (isHost(word)) return word;
  const ascii = asciiName(word);
  if (ascii !== undefined) return ascii;
  throw new UsageError(`${where} ${quote(word)}: expected a host name, an IPv4 or an IPv6 address`);
}

/** The ASCII form of an internationalized name (IDNA, RFC 5890); never an IP address. */
function asciiName(word: string): string | undefined {
  // deno-lint-ignore no-control-regex
  if (/^[\u0000-\u007f]*$/.test(word) || /[\s/?#@:[\]\\]/.test(word)) return undefined;
  const name = URL.canParse(`http://${word}`) ? new URL(`http://${word}`).hostname : "";
  return isHost(name) && !isIP(name) ? name : undefined;
}

/** The option kind of a host. */
export const HOST: OptionKind<string> = {
  expects: "a host name or an IP address",
  placeholder: "NAME",
  parse: (word) => readHost(word, "name"),
};

/** Parses a port. `where` is the prefix in errors. */
export function readPort(word: string, where: string): number {
  const port = PORT.parse(word);
  if (port !== undefined) return port;
  throw new UsageError(`${where} ${quote(word)}: expected ${PORT.expects}`);
}
