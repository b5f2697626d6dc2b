/**
 * Errors of connecting, and what they mean.
 *
 * @module
 */
import {
  type Address,
  canonicalHost,
  formatAddress,
  type InternetAddress,
  isAbstract,
  isIPv6,
  isUnix,
  lacksZone,
  withoutZone,
  zoneNeeded,
} from "../endpoint/address.ts";
import { formatDuration } from "../options/quantity.ts";
import { hasListener } from "../trace/kernel/own_listeners.ts";
import { codeOf, explain } from "./errors.ts";
import { SourceError } from "./source_error.ts";

/** Connecting took longer than its time limit. */
export class DialTimeout extends Error {
  /** Distinguishes it from system errors. */
  override readonly name = "DialTimeout";
  /** The phase that timed out; `upgrade` is everything after the carrier's connection. */
  readonly phase: "look-up" | "connect" | "upgrade";

  /** A timeout with its message and phase. */
  constructor(message: string, phase: DialTimeout["phase"]) {
    super(message);
    this.phase = phase;
  }
}

/** The timeout of a phase after `timeout` milliseconds. */
export function tooLate(timeout: number, phase: "look-up" | "connect"): DialTimeout {
  const time = formatDuration(timeout);
  const message = phase === "look-up"
    ? `the name server does not answer: no address in ${time} (see /etc/resolv.conf)`
    : `timed out after ${time}: ${SILENCE}`;
  return new DialTimeout(message, phase);
}

/** The kernel connected the socket to itself: nothing listens on the port. */
export class SelfConnect extends Error {
  /** The error if the kernel had chosen another local port. */
  readonly code = "ECONNREFUSED";

  /** The error with its message. */
  constructor() {
    super("self-connection: the kernel connected the port to itself");
  }
}

/** What `ECONNREFUSED` means if the cause is not known. */
export const EITHER_REFUSES =
  "connection refused: nothing listens on that port, or a firewall rejects it";

const SILENCE = "a firewall drops packets, the host is down, or its accept queue is full";

/** Why connecting to the target failed. */
export async function meaningOf(error: unknown, target: Address): Promise<string> {
  if (isUnix(target)) return meaningAtPath(error, target.path);
  return codeOf(error) === "ECONNREFUSED"
    ? await meaningOfRefusal(target)
    : meaningAtHost(error, target);
}

/** The same in a few words, for lists. */
export function briefly(error: unknown, target: Address): string {
  if (error instanceof SourceError) return error.message;
  return codeOf(error) === "EADDRNOTAVAIL" && !isUnix(target)
    ? noLocalAddress(target.hostname)
    : explain(error);
}

/**
 * Why connecting to all addresses of a name failed; the error has a cause if all have the same one.
 */
export async function failureOf(
  addresses: readonly InternetAddress[],
  faults: unknown[],
): Promise<unknown> {
  const [only] = addresses;
  if (faults.length === 1 && only) {
    return new Error(await meaningOf(faults[0], only), { cause: faults[0] });
  }
  const meanings = await Promise.all(addresses.map(async (address, i) => ({
    address: formatAddress(address),
    meaning: await meaningOf(faults[i], address),
  })));
  const reasons = [...Map.groupBy(meanings, ({ meaning }) => meaning)].map(([meaning, group]) =>
    `${meaning} (${group.map(({ address }) => address).join(", ")})`
  );
  const codes = new Set(faults.map(codeOf));
  return new Error(reasons.join("; "), {
    cause: codes.size === 1 ? faults[0] : new AggregateError(faults),
  });
}

/** What an error means for a Unix socket. */
function meaningAtPath(error: unknown, path: string): string {
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      if (isAbstract(path)) return "connection refused: nothing listens on that name";
      return "connection refused: stale socket file, nothing listens on it";
    case "ENOENT":
      return "no such file";
    case "EACCES":
      return "permission denied: connecting requires write permission on the socket file";
    case "EPROTOTYPE":
      return "wrong socket type (not SOCK_STREAM)";
    default:
      return explain(error);
  }
}

/**
 * A closed port and a rejecting firewall send the same RST. Only for this machine, the kernel can
 * tell which it was.
 */
async function meaningOfRefusal({ hostname, port }: InternetAddress): Promise<string> {
  const isListening = await hasListener(canonicalHost(withoutZone(hostname)), port);
  if (isListening === undefined) return EITHER_REFUSES;
  return isListening
    ? "refused, though something listens on that port of this machine: a firewall rejects, or the " +
      "socket takes only IPv6 or one interface (ss -ltn shows it)"
    : "connection refused: nothing listens on that port of this machine";
}

/** What an error means for a TCP target. */
function meaningAtHost(error: unknown, { hostname }: InternetAddress): string {
  if (error instanceof SourceError) return error.message;
  switch (codeOf(error)) {
    case "EADDRNOTAVAIL":
      return noLocalAddress(hostname);
    case "EINVAL":
      return lacksZone(hostname) ? zoneNeeded(hostname) : explain(error);
    case "EHOSTUNREACH":
      return "no route to host: no route, or the host does not answer ARP or NDP";
    case "ENETUNREACH":
      return "network is unreachable: this machine has no route to it";
    case "ETIMEDOUT":
      return `connection timed out: ${SILENCE}`;
    default:
      return isZoneUnknown(hostname)
        ? `this machine has no interface ${hostname.replace(/^.*%/, "")}`
        : explain(error);
  }
}

/** Whether the address has a zone that no interface has. */
function isZoneUnknown(hostname: string): boolean {
  const [, zone] = /%(.*\D.*)$/.exec(hostname) ?? [];
  return zone !== undefined && !Deno.networkInterfaces().some(({ name }) => name === zone);
}

/** What `EADDRNOTAVAIL` means. */
function noLocalAddress(hostname: string): string {
  const family = isIPv6(hostname) ? "IPv6" : "IPv4";
  const hasSome = Deno.networkInterfaces().some((each) => each.family === family);
  if (!hasSome) return `this machine has no ${family} address`;
  return "no free local port for this destination: all of " +
    "net.ipv4.ip_local_port_range are in use or in TIME_WAIT";
}
