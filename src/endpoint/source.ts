/**
 * The local end of connections that are dialled: where they come from.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { type Address, formatAddress, isIP, isUnix, lacksZone, zoneNeeded } from "./address.ts";
import { isLiteral } from "./overlap.ts";
import { readPort } from "./parse.ts";

/** An address of this machine, a port, or both. */
export interface Source {
  /** The IP address; the system chooses one by default. */
  readonly hostname?: string | undefined;
  /** The port; the system chooses one by default. */
  readonly port?: number | undefined;
}

/** A version of IP. */
export type Family = "IPv4" | "IPv6";

/** What a dialled connection's own end has to be. */
export interface LocalEnd extends Source {
  /** The only version of IP to use. */
  readonly family?: Family | undefined;
}

/** The option kind of a source with a port. */
export const SOURCE: OptionKind<Source> = {
  expects: "an IP address of this machine, ADDRESS:PORT, [ADDRESS]:PORT or :PORT",
  placeholder: "ADDRESS[:PORT]",
  write: formatSource,
  parse(word) {
    if (isLiteral(word) || lacksZone(word)) return { hostname: SOURCE_ADDRESS.parse(word) };
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d+))?$/.exec(word) ?? [];
    const hostname = bracketed ?? plain;
    if (hostname === undefined || (hostname === "" && port === undefined)) return undefined;
    return {
      ...hostname === "" ? {} : { hostname: SOURCE_ADDRESS.parse(hostname) },
      ...port === undefined ? {} : { port: readSourcePort(port) },
    };
  },
};

/** The option kind of a source's address alone. */
export const SOURCE_ADDRESS: OptionKind<string> = {
  expects: "an IP address of this machine",
  placeholder: "ADDRESS",
  parse(word) {
    if (lacksZone(word)) throw new UsageError(zoneNeeded(word));
    if (isIP(word)) return word;
    throw new UsageError(`${quote(word)} is no IP address: expected one of this machine's`);
  },
};

/** The version of an IP address. */
export function familyOf(hostname: string): Family {
  return hostname.includes(":") ? "IPv6" : "IPv4";
}

/** Why a connection to the address cannot come from there; `undefined` if it may. */
export function sourceConflict(
  { hostname, family = hostname === undefined ? undefined : familyOf(hostname) }: LocalEnd,
  target: Address,
): string | undefined {
  if (hostname !== undefined && familyOf(hostname) !== family) {
    return `${hostname} is no ${family} address`;
  }
  if (isUnix(target)) return `${formatAddress(target)} has no IP address to come from`;
  if (!isIP(target.hostname) || family === undefined || familyOf(target.hostname) === family) {
    return undefined;
  }
  const asked = hostname ?? family;
  return `${target.hostname} is no ${family} address, so it cannot be reached from ${asked}`;
}

function readSourcePort(word: string): number {
  const port = readPort(word, "port");
  if (port !== 0) return port;
  throw new UsageError(`port "0": leave it out, and the system chooses one`);
}

/** The source as it is parsed. */
function formatSource({ hostname, port }: Source): string {
  if (port === undefined) return hostname ?? "";
  return formatAddress({ hostname: hostname ?? "", port });
}
