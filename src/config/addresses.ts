/**
 * Checks of the addresses in a config: overlapping listeners, and forwarding loops.
 *
 * @module
 */
import { UsageError } from "../options/usage_error.ts";
import {
  type Address,
  formatAddress,
  isLoopback,
  isUdp,
  isUnix,
  overUdp,
} from "../endpoint/address.ts";
import { readIp } from "../endpoint/ip.ts";
import { isLiteral, overlaps } from "../endpoint/overlap.ts";
import type { Remote } from "../endpoint/remote.ts";
import { SERVICES } from "../services/registry.ts";
import type { OutletConfig, ServerConfig } from "./server_config.ts";

/** Something that listens. */
export interface Listening {
  /** Its name in messages: `echo`, or `the metrics`. */
  readonly name: string;
  /** Where it listens. */
  readonly address: Address;
}

/** The outlet's name in messages: its own, or its service's. */
export function outletName({ name, service }: Pick<OutletConfig, "name" | "service">): string {
  return name ?? service;
}

/** All addresses that a server listens at. */
export function listeningAt({ outlets, options }: ServerConfig): Listening[] {
  const { metrics, console: page } = options;
  return [
    ...outlets.map((outlet) => ({ name: outletName(outlet), address: outlet.listen })),
    ...metrics ? [{ name: "the metrics", address: metrics }] : [],
    ...page && page !== "off" ? [{ name: "the console", address: page }] : [],
  ];
}

/**
 * Refuses listeners with overlapping addresses.
 *
 * @throws {UsageError} which names two of them
 */
export function checkOverlaps(listening: readonly Listening[]): void {
  const rivals = byPort(listening, ({ address }) => address);
  for (const one of listening) {
    const others = rivals.get(portKey(one.address))!;
    const other = others.slice(others.indexOf(one) + 1)
      .find(({ address }) => overlaps(one.address, address));
    if (other) throw new UsageError(`${one.name} and ${other.name} ${conflict(one, other)}`);
  }
}

/** What has the same port or path stands together: nothing else can be in each other's way. */
export function byPort<T>(
  items: Iterable<T>,
  addressOf: (item: T) => Address,
): ReadonlyMap<string | number, readonly T[]> {
  return Map.groupBy(items, (item) => portKey(addressOf(item)));
}

/** What {@linkcode byPort} finds an address by. */
export function portKey(address: Address): string | number {
  if (isUnix(address)) return address.path;
  return isUdp(address) ? `udp/${address.port}` : address.port;
}

function conflict(one: Listening, other: Listening): string {
  const [first, second] = [one, other].map(({ address }) => formatAddress(address));
  if (first === second) return `have the same address, ${first}`;
  return `have overlapping addresses, ${first} and ${second}`;
}

/** Whether a connection to `target` is accepted by the listener at `listen`. */
export type Reaches = (target: Address, listen: Address) => boolean;

/**
 * Refuses outlets that forward connections in a loop.
 *
 * @throws {UsageError} which names the loop
 */
export function checkForwardingLoops(
  outlets: readonly OutletConfig[],
  reaches: Reaches = reachesByAddress,
): void {
  const listening = byPort(outlets, ({ listen }) => listen);
  for (const outlet of outlets) {
    const circle = loopThrough(outlet, { listening, reaches });
    if (!circle) continue;
    const path = [...circle, outlet].map(({ listen }) => formatAddress(listen)).join(" → ");
    const fault = circle.length === 1 ? "forward to itself" : "forward in a loop";
    throw new UsageError(`${circle.map(outletName).join(" and ")} would ${fault}: ${path}`, {
      option: "to",
    });
  }
}

/** The shortest loop through an outlet; breadth-first search. */
function loopThrough(
  start: OutletConfig,
  { listening, reaches }: {
    listening: ReadonlyMap<string | number, readonly OutletConfig[]>;
    reaches: Reaches;
  },
): readonly OutletConfig[] | undefined {
  const seen = new Set<OutletConfig>();
  const paths: OutletConfig[][] = [[start]];
  for (const path of paths) {
    for (const { address } of upstreamsOf(path.at(-1)!)) {
      const next = (listening.get(portKey(address)) ?? [])
        .filter(({ listen }) => reaches(address, listen));
      if (next.includes(start)) return path;
      for (const outlet of next) if (!seen.has(outlet)) paths.push([...path, outlet]);
      for (const outlet of next) seen.add(outlet);
    }
  }
}

/** Where an outlet forwards to. */
export function upstreamsOf(
  { service, serviceOptions, listen }: Pick<OutletConfig, "service" | "serviceOptions" | "listen">,
): readonly Remote[] {
  const upstreams = SERVICES.get(service)!.upstreams?.(serviceOptions) ?? [];
  if (!isUdp(listen)) return upstreams;
  return upstreams.map((remote) => {
    const { address } = remote;
    return isUnix(address) ? remote : { ...remote, address: overUdp(address) };
  });
}

/** Whether the addresses alone show it. Host names and the machine's other addresses would have to be looked up. */
function reachesByAddress(target: Address, listen: Address): boolean {
  if (isUnix(target) || isUnix(listen)) return overlaps(target, listen);
  if (target.hostname.toLowerCase() === "localhost") {
    return ["127.0.0.1", "::1"].some((hostname) => overlaps({ ...target, hostname }, listen));
  }
  return isLiteral(target.hostname) && overlaps(target, listen) &&
    (isLoopback(target.hostname) || !isWildcard(listen.hostname) || isWildcard(target.hostname));
}

/** Whether the address stands for all addresses of the machine: `0.0.0.0` or `::`. */
export function isWildcard(hostname: string): boolean {
  return isLiteral(hostname) && readIp(hostname).number === 0n;
}
