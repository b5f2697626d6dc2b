/**
 * Places as people type them: the host and port to listen on, or to connect to.
 *
 * @module
 */
import { PORT } from "../options/option.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { type Address, isHost, splitHostPort } from "../socket/address.ts";

/** The forms that a target has. */
const TARGETS = "HOST PORT, HOST:PORT, tcp://HOST:PORT or unix:PATH";

/** The most bytes that `sun_path` holds on Linux, its closing zero not counted. */
const LONGEST_PATH = 107;

/** Reads the target of a client: `HOST PORT`, `HOST:PORT`, `[HOST]:PORT`, `tcp://HOST:PORT` or `unix:PATH`. */
export function readTarget(words: readonly string[]): Address {
  const [first, second, ...more] = words;
  if (first === undefined) throw new UsageError(`nothing to connect to: expected ${TARGETS}`);
  if (more.length > 0) {
    throw new UsageError(`${quote(more[0]!)} is one word too many: expected HOST PORT`);
  }
  if (second !== undefined) {
    return target({ host: first.replace(/^\[(.*)\]$/, "$1"), port: second, word: first });
  }
  if (first.startsWith("unix:")) return { path: readPath(first.slice("unix:".length), first) };
  const [, scheme, rest = first] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(first) ?? [];
  if (scheme !== undefined && scheme.toLowerCase() !== "tcp") {
    throw new UsageError(`${quote(first)}: unknown scheme ${quote(scheme)}: expected tcp`);
  }
  const parts = splitHostPort(rest.replace(/\/$/, ""));
  if (!parts) {
    throw new UsageError(`${quote(first)}: expected ${TARGETS}`);
  }
  return target({ ...parts, word: first });
}

/** Reads the path of a Unix socket, also from `//PATH`; `word` is what an error quotes. */
export function readPath(path: string, word: string): string {
  const read = path.replace(/^\/\/+(?=\/)/, "");
  if (read === "" || read.endsWith("/") || read.includes("\0")) {
    throw new UsageError(`${quote(word)}: expected a path, such as unix:/run/echo.sock`);
  }
  if (new TextEncoder().encode(read).length > LONGEST_PATH) {
    throw new UsageError(
      `${quote(word)}: the path is too long: a Unix socket's has at most ${LONGEST_PATH} bytes`,
    );
  }
  return read;
}

/** Reads a host; `where` is what stands in front of it in an error. */
export function readHost(word: string, where: string): string {
  if (isHost(word)) return word;
  throw new UsageError(`${where} ${quote(word)}: expected a host name, an IPv4 or an IPv6 address`);
}

/** Reads a port; `where` is what stands in front of it in an error. */
export function readPort(word: string, where: string): number {
  const port = PORT.read(word);
  if (port !== undefined) return port;
  throw new UsageError(`${where} ${quote(word)}: expected ${PORT.expects}`);
}

function target({ host, port, word }: { host: string; port: string; word: string }): Address {
  if (host === "") throw new UsageError(`${quote(word)}: no host in front of the port`);
  const address = { hostname: readHost(host, "host"), port: readPort(port, "port") };
  if (address.port === 0) {
    throw new UsageError(`port "0": expected a port to connect to, 1 to 65535`);
  }
  return address;
}
