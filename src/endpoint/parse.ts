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
  isHost,
  lacksZone,
  overUdp,
  splitHostPort,
  zoneNeeded,
} from "./address.ts";

/** The maximum length of `sun_path` on Linux in bytes, without the terminating zero. */
const MAX_PATH = 107;

/**
 * The option kind of an address to connect to: `HOST:PORT`, `[HOST]:PORT`, `tcp://HOST:PORT`,
 * `udp://HOST:PORT` or `unix:PATH`.
 */
export const ENDPOINT: OptionKind<Address> = {
  expects: "HOST:PORT, tcp://HOST:PORT, udp://HOST:PORT or unix:PATH",
  placeholder: "HOST:PORT",
  write: formatAddress,
  parse(word) {
    if (word.startsWith("unix:")) return { path: readPath(word.slice("unix:".length)) };
    const [, scheme, rest = word] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(word) ?? [];
    const transport = scheme?.toLowerCase() ?? "tcp";
    if (transport !== "tcp" && transport !== "udp") {
      throw new UsageError(`unknown scheme ${quote(scheme!)}: expected tcp://, udp:// or unix:`);
    }
    const parts = splitHostPort(rest.replace(/\/$/, ""));
    const address = parts && parseEndpoint(parts);
    return address && transport === "udp" ? overUdp(address) : address;
  },
};

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
 * The option kind of an outlet's address: `HOST:PORT`, `:PORT` on {@linkcode DEFAULT_HOST}, the
 * same after `udp://`, or `unix:PATH`.
 */
export const OUTLET_LISTEN: OptionKind<Address> = {
  expects: "HOST:PORT, :PORT, udp://HOST:PORT or unix:PATH",
  placeholder: "HOST:PORT",
  write: formatAddress,
  parse(word) {
    if (word.startsWith("unix:")) return { path: readPath(word.slice("unix:".length)) };
    if (!/^udp:\/\//i.test(word)) return LISTEN.parse(word);
    const address = LISTEN.parse(word.slice("udp://".length));
    return address && overUdp(address);
  },
};

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

/** Parses the path of a Unix socket, also as `//PATH`. */
export function readPath(path: string): string {
  if (path.startsWith("@")) {
    throw new UsageError(
      "abstract socket names are not supported: use a path, such as unix:/run/echo.sock",
    );
  }
  const read = path.replace(/^\/\/+(?=\/)/, "");
  if (read === "" || read.endsWith("/") || read.includes("\0")) {
    throw new UsageError("expected a path, such as unix:/run/echo.sock");
  }
  if (new TextEncoder().encode(read).length > MAX_PATH) {
    throw new UsageError(
      `the path is too long: at most ${MAX_PATH} bytes for a Unix socket`,
    );
  }
  return read;
}

/** Parses a host. `where` is the prefix in errors. */
export function readHost(word: string, where: string): string {
  if (lacksZone(word)) throw new UsageError(`${where} ${quote(word)}: ${zoneNeeded(word)}`);
  if (isHost(word)) return word;
  const ascii = asciiName(word);
  if (ascii !== undefined) {
    throw new UsageError(`${where} ${quote(word)}: expected a name in ASCII, which is ${ascii}`);
  }
  throw new UsageError(`${where} ${quote(word)}: expected a host name, an IPv4 or an IPv6 address`);
}

/** The ASCII form of an internationalized name (IDNA, RFC 5890). */
function asciiName(word: string): string | undefined {
  // deno-lint-ignore no-control-regex
  if (/^[\u0000-\u007f]*$/.test(word) || /[\s/?#@:[\]\\]/.test(word)) return undefined;
  const name = URL.canParse(`http://${word}`) ? new URL(`http://${word}`).hostname : "";
  return isHost(name) ? name : undefined;
}

/** Parses a port. `where` is the prefix in errors. */
export function readPort(word: string, where: string): number {
  const port = PORT.parse(word);
  if (port !== undefined) return port;
  throw new UsageError(`${where} ${quote(word)}: expected ${PORT.expects}`);
}
