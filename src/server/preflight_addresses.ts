/**
 * Checks the addresses of a config against this machine: local addresses, privileged ports, names.
 *
 * @module
 */
import { dirname } from "@std/path/posix/dirname";
import {
  byPort,
  checkForwardingLoops,
  checkOverlaps,
  isWildcard,
  type Listening,
  listeningAt,
  portKey,
  upstreamsOf,
} from "../config/addresses.ts";
import { pathFault } from "../config/path_fault.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import {
  type Address,
  type InternetAddress,
  isAbstract,
  isUdp,
  isUnix,
  type UdpAddress,
} from "../endpoint/address.ts";
import { isLiteral, overlaps } from "../endpoint/overlap.ts";
import { lookUp } from "../transport/dial_address.ts";
import { codeOf, explain } from "../transport/errors.ts";
import { listenDatagrams } from "../transport/datagrams.ts";
import { listen } from "../transport/listen.ts";

/** Milliseconds to wait for a name server, so that a start does not hang on one that is down. */
const LOOKUP_TIMEOUT = 1_000;

/** The bit of CAP_NET_BIND_SERVICE in a capability set (capability.h). */
const NET_BIND_SERVICE = 1n << 10n;

/**
 * Checks whether this machine could listen at an address. The port itself is not tried, because
 * the same server may be running.
 *
 * @throws {Error} with the reason
 */
export async function refuseAddress(address: Address): Promise<void> {
  if (isUnix(address)) return await refusePath(address.path);
  await refusePrivileged(address.port);
  const hostname = await firstHostOf(address.hostname);
  if (hostname === undefined) return;
  try {
    if (isUdp(address)) closeDatagrams({ ...address, hostname, port: 0 });
    else listen({ address: { hostname, port: 0 } }, { backlog: 1 }).close();
  } catch (error) {
    const { cause } = error as Error;
    // All ephemeral ports are in use, but the address is local.
    if (codeOf(cause) === "EADDRINUSE") return;
    const meant = hostname === address.hostname ? "" : ` (${hostname})`;
    throw new Error(explain(cause) + meant, { cause });
  }
}

function closeDatagrams(address: UdpAddress): void {
  for (const socket of listenDatagrams(address).sockets) socket.close();
}

/** The first address of a name; `undefined` if no name server answers in time. */
async function firstHostOf(hostname: string): Promise<string | undefined> {
  if (isLiteral(hostname)) return hostname;
  const signal = AbortSignal.timeout(LOOKUP_TIMEOUT);
  try {
    return (await lookUp(hostname, { signal }))[0];
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function refusePath(path: string): Promise<void> {
  if (isAbstract(path)) {
    if (Deno.build.os === "linux") return;
    throw new Error("only Linux has Unix sockets without a file: use a path");
  }
  const directory = dirname(path);
  const fault = await pathFault(directory, "write-in");
  if (fault !== undefined) throw new Error(`directory ${directory}: ${fault}`);
  const there = await Deno.lstat(path).catch(() => undefined);
  if (!there || there.isSocket) return;
  throw new Error("the file exists and is not a socket: use another path");
}

/** Refuses ports below `ip_unprivileged_port_start` without the capability to bind them. */
async function refusePrivileged(port: number): Promise<void> {
  if (port === 0 || port >= 1024 || Deno.build.os !== "linux") return;
  const [least, status] = await Promise.all([
    Deno.readTextFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
    Deno.readTextFile("/proc/self/status"),
  ]).catch(() => ["0", ""] as const);
  const [, capabilities] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if (port >= Number(least) || capabilities === undefined) return;
  if ((BigInt(`0x${capabilities}`) & NET_BIND_SERVICE) !== 0n) return;
  throw new Error(
    `port ${port} needs root or the capability CAP_NET_BIND_SERVICE, or use one from ${
      Number(least)
    } up`,
  );
}

/**
 * Resolves the names of listeners on the same port, and refuses those that overlap.
 *
 * @throws {UsageError} that names two listeners with the same address
 */
export async function refuseNamesOverlap(config: ServerConfig): Promise<void> {
  const listening = listeningAt(config);
  const rivals = byPort(listening, ({ address }) => address);
  const found = await Promise.all(listening.map(async (one): Promise<Listening> => {
    const { address } = one;
    const others = rivals.get(portKey(address))!
      .filter((other) => other !== one && isSamePort(address, other.address));
    if (isUnix(address) || others.length === 0) return one;
    const [hostname = address.hostname] = await hostsOf(address.hostname);
    return { ...one, address: { ...address, hostname } };
  }));
  checkOverlaps(found);
}

/**
 * Refuses an upstream that is an outlet of the same server, under any name or address of this
 * machine.
 *
 * @throws {UsageError} that names the loop
 */
export async function refuseForwardToSelf(outlets: readonly OutletConfig[]): Promise<void> {
  const listening = byPort(outlets, ({ listen }) => listen);
  const targets = outlets.flatMap(upstreamsOf).map(({ address }) => address);
  const suspects = targets.filter((target): target is InternetAddress =>
    listening.get(portKey(target))?.some(({ listen }) => isSamePort(target, listen)) === true
  );
  if (suspects.length === 0) return;
  const names = [...suspects, ...outlets.map(({ listen }) => listen)].flatMap((address) =>
    isUnix(address) ? [] : [address.hostname]
  );
  const hosts = new Map(
    await Promise.all(
      [...new Set(names)].map(async (name) => [name, await hostsOf(name)] as const),
    ),
  );
  const own = new Set(Deno.networkInterfaces().map(({ address }) => address));
  checkForwardingLoops(outlets, (target, listen) => {
    if (isUnix(target) || isUnix(listen) || !isSamePort(target, listen)) {
      return overlaps(target, listen);
    }
    const [here = ""] = hosts.get(listen.hostname) ?? [];
    return (hosts.get(target.hostname) ?? []).some((hostname) =>
      overlaps({ ...target, hostname }, { ...listen, hostname: here }) &&
      (!isWildcard(here) || isWildcard(hostname) || own.has(hostname) || /^127\./.test(hostname))
    );
  });
}

function isSamePort(one: Address, other: Address): boolean {
  return !isUnix(one) && !isUnix(other) && isUdp(one) === isUdp(other) && one.port === other.port &&
    one.port !== 0;
}

/** The addresses of a name, in the system's order; none if no name server answers in time. */
async function hostsOf(hostname: string): Promise<readonly string[]> {
  if (isLiteral(hostname)) return [hostname];
  return await lookUp(hostname, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT) }).catch(() => []);
}
