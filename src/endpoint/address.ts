/**
 * The handle of a socket: a host and a port, or a path in the file system.
 *
 * @module
 */

/** Where a socket is. Tell the two kinds apart with {@linkcode isUnix}. */
export type Address = InternetAddress | UnixAddress;

/** A host (IPv4, IPv6 without brackets, or a name) and a TCP port. */
export interface InternetAddress {
  /** IPv4 or IPv6 address or a host name; IPv6 stands without brackets. */
  readonly hostname: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** A Unix socket, on this machine alone. */
export interface UnixAddress {
  /** Where it is in the file system; empty for the end of a client, which has no name. */
  readonly path: string;
}

/** Whether it is a Unix socket's. */
export function isUnix(address: Address): address is UnixAddress {
  return "path" in address;
}

/**
 * `127.0.0.1:80`, `[::1]:80`, `example.org:80`, `unix:/run/echo.sock`: the form that people type, logs and
 * errors show.
 */
export function formatAddress(address: Address): string {
  if (isUnix(address)) return `unix:${address.path}`;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** The address of one end of a connection, with a v4-mapped IPv6 host told as the IPv4 it is. */
export function addressOf(end: Deno.Addr): Address {
  switch (end.transport) {
    case "tcp":
      return { hostname: canonicalHost(end.hostname), port: end.port };
    case "unix":
      // The type promises a path, and a client's end has none.
      return { path: (end.path as string | null) ?? "" };
    default:
      throw new TypeError(`not an end of a connection: ${end.transport}`);
  }
}

/** The zone of an IPv6 address. */
const ZONE = /%[\w.-]+$/;

/** Who is at the other end. A Unix client has no name: it is known by the socket that it came through. */
export function peerOf(
  { remoteAddr, localAddr }: Pick<Deno.Conn, "remoteAddr" | "localAddr">,
): Address {
  const peer = addressOf(remoteAddr);
  return isUnix(peer) && peer.path === "" ? addressOf(localAddr) : peer;
}

/** `::ffff:192.0.2.1`, which a listener on `[::]` sees for an IPv4 client, as `192.0.2.1`. */
export function canonicalHost(hostname: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname);
  return mapped ? mapped[1]! : hostname;
}

/** Splits `HOST:PORT` or `[HOST]:PORT`; either part may be empty. `undefined` where it is neither. */
export function splitHostPort(text: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (!match) return undefined;
  return { host: match[1] ?? match[2] ?? "", port: match[3]! };
}

/**
 * Whether the text can name a host: an IPv4 address, an IPv6 address (also with a zone, `fe80::1%eth0`),
 * or a name of letters, digits, `-`, `_` and `.`.
 */
export function isHost(text: string): boolean {
  if (text.includes(":")) return isIP(text);
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return text.length <= 253 &&
    text.replace(/\.$/, "").split(".").every((label) => /^\w(?:[\w-]{0,61}\w)?$/.test(label));
}

/** Whether only this machine reaches what listens at this host. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    (isIPv4(hostname) && hostname.startsWith("127."));
}

/** Whether the text is an IPv4 address in four plain decimal numbers, without leading zeros. */
export function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** Whether the text is an IP address: of either kind, also with a zone (`fe80::1%eth0`, RFC 4007 section 11). */
export function isIP(text: string): boolean {
  return text.includes(":") ? isIPv6(withoutZone(text)) : isIPv4(text);
}

/** Whether it is an IPv6 address of one link (`fe80::/10`) that does not say of which. */
export function lacksZone(text: string): boolean {
  return /^fe[89ab][0-9a-f]:[^%]*$/i.test(text);
}

/** The address without its zone, which means something on this machine alone. */
export function withoutZone(address: string): string {
  return address.replace(ZONE, "");
}

/** What to do about a link-local address without a zone. */
export function zoneNeeded(hostname: string): string {
  return `each link has a host of that address: say which, ${hostname}%INTERFACE (RFC 4007)`;
}

/** Whether the text is an IPv6 address (RFC 4291), without a zone. */
export function isIPv6(text: string): boolean {
  if (!text.includes(":")) return false;
  return URL.canParse(`http://[${text}]/`);
}

/** What tells two addresses of one machine apart: the port, or a Unix socket's path. */
export function portOf(address: Address): string {
  return isUnix(address) ? address.path : String(address.port);
}
