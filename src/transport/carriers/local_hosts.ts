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

/** Reports local addresses that are new, until disposed. */
export function followLocalAddresses(
  { hostname }: UdpAddress,
  { known, opened }: { known: readonly string[]; opened(hostname: string): void },
): Disposable {
  let before = new Set(known);
  const timer = setInterval(
    tasks.guard(() => {
      const present = localHosts(hostname);
      for (const host of present) if (!before.has(host)) opened(host);
      before = new Set(present);
    }),
    PERIOD,
  );
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
