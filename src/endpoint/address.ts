/**
 * Socket addresses: a host and a port, or the path of a Unix socket.
 *
 * @module
 */

/** A socket address. {@linkcode isUnix} tells the two kinds apart. */
export type Address = InternetAddress | UnixAddress;

/** A host (IPv4, IPv6 without brackets, or a name) and a port, of TCP unless it says UDP. */
export interface InternetAddress {
  /** An IPv4 address, an IPv6 address without brackets, or a host name. */
  readonly hostname: string;
  /** 0 to 65535. */
  readonly port: number;
  /** Present if the port is one of UDP (RFC 768). */
  readonly transport?: "udp" | undefined;
}

/** A host and a UDP port. */
export interface UdpAddress extends InternetAddress {
  /** What distinguishes it from an address of TCP. */
  readonly transport: "udp";
}

/** The address of a Unix socket (`unix(7)`). */
export interface UnixAddress {
  /**
   * The path in the file system, or `@NAME` for a name in Linux's abstract namespace; empty for a
   * client's end, which has no name.
   */
  readonly path: string;
}

/** Whether the address is a Unix socket's. */
export function isUnix(address: Address): address is UnixAddress {
  return "path" in address;
}

/** Whether the path of a Unix socket is a name without a file (`unix(7)`, "abstract"). */
export function isAbstract(path: string): boolean {
  return path.startsWith("@");
}

/** Whether the address is one of UDP. */
export function isUdp(address: Address): address is UdpAddress {
  return "transport" in address && address.transport === "udp";
}

/** The same host and port of UDP. */
export function overUdp({ hostname, port }: InternetAddress): UdpAddress {
  return { transport: "udp", hostname, port };
}

/**
 * The address as text: `127.0.0.1:80`, `[::1]:80`, `example.org:80`, `udp://127.0.0.1:53`,
 * `unix:/run/echo.sock`.
 */
export function formatAddress(address: Address): string {
  if (isUnix(address)) return `unix:${address.path}`;
  const { hostname, port } = address;
  const place = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  return isUdp(address) ? `udp://${place}` : place;
}

/** The address of one end of a connection. A v4-mapped IPv6 host becomes IPv4. */
export function addressOf(end: Deno.Addr): Address {
  switch (end.transport) {
    case "tcp":
      return { hostname: canonicalHost(end.hostname), port: end.port };
    case "udp":
      return overUdp({ hostname: canonicalHost(end.hostname), port: end.port });
    case "unix":
      // The type has a string, but the path of a client's end is null.
      return { path: ((end.path as string | null) ?? "").replace(/^\0/, "@") };
    default:
      throw new TypeError(`not an end of a connection: ${end.transport}`);
  }
}

/** The zone of an IPv6 address (RFC 4007, section 11). */
const ZONE = /%[\w.-]+$/;

/**
 * The address of the other end. A Unix client has no name, so the path of the listening socket is
 * used.
 */
export function peerOf(
  { remoteAddr, localAddr }: Pick<Deno.Conn, "remoteAddr" | "localAddr">,
): Address {
  const peer = addressOf(remoteAddr);
  return isUnix(peer) && peer.path === "" ? addressOf(localAddr) : peer;
}

/** Maps `::ffff:192.0.2.1`, which a listener on `[::]` sees for an IPv4 client, to `192.0.2.1`. */
export function canonicalHost(hostname: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname);
  return mapped ? mapped[1]! : hostname;
}

/** Splits `HOST:PORT` or `[HOST]:PORT`; either part may be empty. `undefined` if it is neither. */
export function splitHostPort(text: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (!match) return undefined;
  return { host: match[1] ?? match[2] ?? "", port: match[3]! };
}

/**
 * Whether the text is a valid host: an IPv4 address, an IPv6 address (also with a zone,
 * `fe80::1%eth0`), or a name of letters, digits, `-`, `_` and `.`.
 */
export function isHost(text: string): boolean {
  if (text.includes(":")) return isIP(text);
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return text.length <= 253 &&
    text.replace(/\.$/, "").split(".").every((label) => /^\w(?:[\w-]{0,61}\w)?$/.test(label));
}

/** Whether the host is a loopback address or `localhost`. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    (isIPv4(hostname) && hostname.startsWith("127."));
}

/** Whether the text is an IPv4 address in dotted decimal, without leading zeros. */
export function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/**
 * Whether the text is an IPv4 or IPv6 address, also with a zone (`fe80::1%eth0`, RFC 4007 section
 * 11).
 */
export function isIP(text: string): boolean {
  return text.includes(":") ? isIPv6(withoutZone(text)) : isIPv4(text);
}

/** Whether the text is a link-local IPv6 address (`fe80::/10`) without a zone. */
export function lacksZone(text: string): boolean {
  return /^fe[89ab][0-9a-f]:[^%]*$/i.test(text);
}

/** The address without its zone, which is only meaningful on this machine. */
export function withoutZone(address: string): string {
  return address.replace(ZONE, "");
}

/** The advice in errors about a link-local address without a zone. */
export function zoneNeeded(hostname: string): string {
  return `a link-local address needs its interface: ${hostname}%INTERFACE (RFC 4007)`;
}

/** Whether the text is an IPv6 address (RFC 4291), without a zone. */
export function isIPv6(text: string): boolean {
  if (!text.includes(":")) return false;
  return URL.canParse(`http://[${text}]/`);
}

/** The port (`53`, `53/udp`), or the path of a Unix socket: what distinguishes two addresses of one machine. */
export function portOf(address: Address): string {
  if (isUnix(address)) return address.path;
  return isUdp(address) ? `${address.port}/udp` : String(address.port);
}
