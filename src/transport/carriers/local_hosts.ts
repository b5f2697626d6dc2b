/**
 * The local addresses that a wildcard stands for.
 *
 * @module
 */
import type { UdpAddress } from "../../endpoint/address.ts";
import { lacksZone } from "../../endpoint/address.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("following the local addresses of a UDP outlet", {
  consequence: "the addresses that it has stay",
});

/** How often new local addresses are looked for, in milliseconds. */
const PERIOD = 5_000;

/** The local addresses of IPv4 for `0.0.0.0`, and of both versions for `::`. */
export function localHosts(wildcard: string): string[] {
  const hosts = Deno.networkInterfaces()
    .filter(({ family }) => wildcard === "::" || family === "IPv4")
    .map(({ name, address }) => lacksZone(address) ? `${address}%${name}` : address);
  return [...new Set(hosts)];
}

/** Reports all local addresses now and then, until disposed. */
export function followLocalAddresses(
  { hostname }: UdpAddress,
  found: (hostname: string) => void,
): Disposable {
  const look = () => localHosts(hostname).forEach(found);
  const timer = setInterval(tasks.guard(look), PERIOD);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
