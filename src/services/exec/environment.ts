/**
 * What programs that serve a client look for in their environment.
 *
 * @module
 */
import { type Address, type InternetAddress, isUnix } from "../../endpoint/address.ts";

/** Both ends of the connection that a program serves. */
export interface Ends {
  /** The client's end. */
  readonly peer: Address;
  /** Our end. */
  readonly local: Address;
}

/**
 * The two ends of a connection by all the names that programs know them under: those of UCSPI-TCP (`tcpserver`,
 * `s6-tcpserver`), `xinetd`, systemd's socket activation and `ncat`. `count` is the number of connections that
 * the client's host has, this one included.
 */
export function endsEnvironment(
  { peer, local }: Ends,
  { count }: { count: number },
): Record<string, string> {
  if (isUnix(local)) return { PROTO: "UNIX", UNIXLOCALPATH: local.path };
  return isUnix(peer) ? {} : internetEnvironment({ peer, local, count });
}

function internetEnvironment(
  { peer, local, count }: { peer: InternetAddress; local: InternetAddress; count: number },
): Record<string, string> {
  const [remotePort, localPort] = [String(peer.port), String(local.port)];
  return {
    PROTO: "TCP",
    TCPLOCALIP: local.hostname,
    TCPLOCALPORT: localPort,
    TCPREMOTEIP: peer.hostname,
    TCPREMOTEPORT: remotePort,
    TCPCONNNUM: String(count),
    REMOTE_HOST: peer.hostname,
    REMOTE_ADDR: peer.hostname,
    REMOTE_PORT: remotePort,
    NCAT_PROTO: "TCP",
    NCAT_LOCAL_ADDR: local.hostname,
    NCAT_LOCAL_PORT: localPort,
    NCAT_REMOTE_ADDR: peer.hostname,
    NCAT_REMOTE_PORT: remotePort,
  };
}

/** What is known of a client that came through TLS: `TLS_PROTOCOL`, `TLS_ALPN`, `TLS_CLIENT_SUBJECT`. */
export function tlsEnvironment(
  notes: Readonly<Record<string, string | number>> = {},
): Record<string, string> {
  const known = {
    TLS_PROTOCOL: notes.tls,
    TLS_ALPN: notes.alpn,
    TLS_CLIENT_SUBJECT: notes["tls-subject"],
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]]
    ),
  );
}

/** The variables that words ask for: `NAME=VALUE` as it stands, `NAME` with outlet's own value, if it has one. */
export function passedEnvironment(words: readonly string[]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const word of words) {
    const [, name = word, value = Deno.env.get(word)] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}
