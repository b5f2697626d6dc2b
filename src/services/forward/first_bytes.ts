/**
 * The protocol of a client by its first bytes.
 *
 * @module
 */

/** The protocols that are recognized. */
export const PROTOCOLS = ["ssh", "tls", "http", "socks"] as const;

/** A protocol that is recognized. */
export type Protocol = typeof PROTOCOLS[number];

/** Whether bytes begin a protocol; `undefined` if too few have come to know. */
type Test = (bytes: Uint8Array) => boolean | undefined;

/**
 * The methods of HTTP: RFC 9110, RFC 5789, WebDAV (RFC 4918), and the preface of HTTP/2 (RFC 9113).
 */
const METHODS = [
  ...["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"],
  ...["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT"],
].map((method) => `${method} `);

const SOCKS = { version5: 5, version4: 4, connect: 1, bind: 2 } as const;

const TESTS: Readonly<Record<Protocol, Test>> = {
  ssh: (bytes) => beginsWith(bytes, "SSH-"),
  // A handshake record of version 3.x, whose first message is a ClientHello.
  tls: ([type, major, , , , message]) => all([type, 0x16], [major, 3], [message, 1]),
  http(bytes) {
    const found = METHODS.map((method) => beginsWith(bytes, method));
    return found.includes(true) || (found.includes(undefined) ? undefined : false);
  },
  socks([version, second]) {
    if (version === SOCKS.version5) return second === undefined ? undefined : second > 0;
    if (version !== SOCKS.version4) return false;
    return second === undefined ? undefined : second === SOCKS.connect || second === SOCKS.bind;
  },
};

/** The protocol, or `else` if it is none of them; `undefined` if too few bytes have come to know. */
export function protocolOf(bytes: Uint8Array): Protocol | "else" | undefined {
  if (bytes.length === 0) return undefined;
  const results = PROTOCOLS.map((name) => TESTS[name](bytes));
  const found = PROTOCOLS[results.indexOf(true)];
  return found ?? (results.includes(undefined) ? undefined : "else");
}

function beginsWith(bytes: Uint8Array, text: string): boolean | undefined {
  const length = Math.min(bytes.length, text.length);
  for (let at = 0; at < length; at++) if (bytes[at] !== text.charCodeAt(at)) return false;
  return length === text.length ? true : undefined;
}

/** Whether each byte that has come is the right one; `undefined` if not all have come. */
function all(...pairs: [byte: number | undefined, right: number][]): boolean | undefined {
  if (pairs.some(([byte, right]) => byte !== undefined && byte !== right)) return false;
  return pairs.some(([byte]) => byte === undefined) ? undefined : true;
}
