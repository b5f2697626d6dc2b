/**
 * The environment variables of programs that are joined to a connection.
 *
 * @module
 */
import { type Address, type InternetAddress, isUnix } from "../../endpoint/address.ts";

/** The addresses of a connection. */
export interface ConnectionAddresses {
  /** The other end's address. */
  readonly peer: Address;
  /** Our own address. */
  readonly local: Address;
}

/**
 * The addresses of a connection under all the names that programs use: those of UCSPI-TCP (`tcpserver`,
 * `s6-tcpserver`), `xinetd`, systemd's socket activation and `ncat`. `count` is a server's number of connections from
 * the client's address, including this one.
 */
export function addressEnvironment(
  { peer, local }: ConnectionAddresses,
  { count }: { count?: number } = {},
): Record<string, string> {
  if (isUnix(local)) {
    const remote = isUnix(peer) && peer.path !== "" ? { UNIXREMOTEPATH: peer.path } : {};
    return { PROTO: "UNIX", ...local.path === "" ? {} : { UNIXLOCALPATH: local.path }, ...remote };
  }
  return isUnix(peer) ? {} : {
    ...internetEnvironment({ peer, local }),
    ...count === undefined ? {} : { TCPCONNNUM: String(count) },
  };
}

/** The names of all variables about a connection, also of those that other programs set. */
const ABOUT_CONNECTION =
  /^(PROTO|(TCP|UNIX|SSL)(LOCAL|REMOTE)[A-Z]+|TCPCONNNUM|REMOTE_(HOST|ADDR|PORT)|NCAT_\w+|TLS_(PROTOCOL|ALPN|CLIENT_SUBJECT))$/;

/** The environment without what it says about another connection. */
export function withoutConnection(
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ABOUT_CONNECTION.test(name)));
}

function internetEnvironment(
  { peer, local }: { peer: InternetAddress; local: InternetAddress },
): Record<string, string> {
  const [remotePort, localPort] = [String(peer.port), String(local.port)];
  return {
    PROTO: "TCP",
    TCPLOCALIP: local.hostname,
    TCPLOCALPORT: localPort,
    TCPREMOTEIP: peer.hostname,
    TCPREMOTEPORT: remotePort,
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

/** The TLS session of a connection: `TLS_PROTOCOL`, `TLS_ALPN`, `TLS_CLIENT_SUBJECT`. */
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

/** Parses variables: `NAME=VALUE`, or `NAME` for the value in outlet's own environment, if set. */
export function parseEnvironment(variables: readonly string[]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const word of variables) {
    const [, name = word, value = Deno.env.get(word)] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}
