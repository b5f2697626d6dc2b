/**
 * The addresses of a whole config: no two listeners at one, and no outlet that forwards to itself.
 *
 * @module
 */
import { UsageError } from "../options/usage_error.ts";
import { type Address, formatAddress, isLoopback, isUnix } from "../endpoint/address.ts";
import { readIp } from "../endpoint/ip.ts";
import { isLiteral, overlaps } from "../endpoint/overlap.ts";
import { SERVICES } from "../services/registry.ts";
import type { OutletConfig, ServerConfig } from "./server_config.ts";

/** Something that listens, and what it is called. */
export interface Listening {
  /** `echo`, or `the metrics`. */
  readonly name: string;
  /** Where it listens. */
  readonly address: Address;
}

/** What an outlet is called in messages: its name, or its service's. */
export function outletName({ name, service }: Pick<OutletConfig, "name" | "service">): string {
  return name ?? service;
}

/** Everything that a server listens at. */
export function listeningAt({ outlets, options }: ServerConfig): Listening[] {
  const { metrics, console: page } = options;
  return [
    ...outlets.map((outlet) => ({ name: outletName(outlet), address: outlet.listen })),
    ...metrics ? [{ name: "the metrics", address: metrics }] : [],
    ...page && page !== "off" ? [{ name: "the console", address: page }] : [],
  ];
}

/**
 * Refuses two listeners of which one takes the address of the other.
 *
 * @throws {UsageError} which names both
 */
export function refuseOverlaps(listening: readonly Listening[]): void {
  for (const [at, one] of listening.entries()) {
    const other = listening.slice(at + 1).find(({ address }) => overlaps(one.address, address));
    if (other) throw new UsageError(`${one.name} and ${other.name} ${claim(one, other)}`);
  }
}

function claim(one: Listening, other: Listening): string {
  const [first, second] = [one, other].map(({ address }) => formatAddress(address));
  if (first === second) return `both want ${first}: an address has one outlet`;
  return `want overlapping addresses, ${first} and ${second}: a port of an address has one outlet`;
}

/** Whether who connects to the target becomes a client of who listens there. */
export type Reaches = (target: Address, listen: Address) => boolean;

/**
 * Refuses outlets whose clients would be passed on in a circle for ever.
 *
 * @throws {UsageError} which names the circle
 */
export function refuseCircles(
  outlets: readonly OutletConfig[],
  reaches: Reaches = reachesForSure,
): void {
  for (const outlet of outlets) {
    const circle = circleFrom(outlet, { outlets, reaches });
    if (!circle) continue;
    const way = [...circle, outlet].map(({ listen }) => formatAddress(listen)).join(" → ");
    const fault = circle.length === 1 ? "forward to itself" : "forward in a circle";
    throw new UsageError(`${circle.map(outletName).join(" and ")} would ${fault}: ${way}`, {
      option: "to",
    });
  }
}

/** The shortest way from an outlet over others back to it. */
function circleFrom(
  start: OutletConfig,
  { outlets, reaches }: { outlets: readonly OutletConfig[]; reaches: Reaches },
): readonly OutletConfig[] | undefined {
  const seen = new Set<OutletConfig>();
  const paths: OutletConfig[][] = [[start]];
  for (const path of paths) {
    for (const target of upstreamsOf(path.at(-1)!)) {
      const next = outlets.filter(({ listen }) => reaches(target, listen));
      if (next.includes(start)) return path;
      for (const outlet of next) if (!seen.has(outlet)) paths.push([...path, outlet]);
      for (const outlet of next) seen.add(outlet);
    }
  }
}

/** Where an outlet passes its clients on to. */
export function upstreamsOf({ service, serviceOptions }: OutletConfig): readonly Address[] {
  return SERVICES.get(service)!.upstreams?.(serviceOptions) ?? [];
}

/** Whether it is so as far as the words alone tell: names, and this machine's other addresses, need a look. */
function reachesForSure(target: Address, listen: Address): boolean {
  if (isUnix(target) || isUnix(listen)) return overlaps(target, listen);
  if (target.hostname.toLowerCase() === "localhost") {
    const { port } = target;
    return ["127.0.0.1", "::1"].some((hostname) => overlaps({ hostname, port }, listen));
  }
  return isLiteral(target.hostname) && overlaps(target, listen) &&
    (isLoopback(target.hostname) || !isWildcard(listen.hostname) || isWildcard(target.hostname));
}

/** Whether it stands for all addresses of this machine. */
export function isWildcard(hostname: string): boolean {
  return isLiteral(hostname) && readIp(hostname).number === 0n;
}
