/**
 * What is asked of an outlet that its kind of socket, or another of its options, makes meaningless.
 *
 * @module
 */
import { type Label, whyOverruled, whyUseless } from "../options/requirements.ts";
import { UsageError } from "../options/usage_error.ts";
import { formatAddress, isLoopback, isUnix } from "../endpoint/address.ts";
import { SERVICES } from "../services/registry.ts";
import { ADMISSION_OPTIONS } from "./admission_options.ts";
import { OUTLET_OPTIONS, type OutletConfig, type OutletOptions } from "./server_config.ts";

/** What only the file of a Unix socket has. */
const OF_FILES: ReadonlySet<string> = new Set(["mode"]);

/** What only TCP has, or what is only asked of clients that came by it. */
const OF_TCP: ReadonlySet<string> = new Set(["backlog", "keep-alive", "trusted-proxy"]);

/** What is decided by a client's address, which one at a Unix socket has only where a proxy announces it. */
const BY_ADDRESS: ReadonlySet<string> = new Set(["allow", "deny", "max-per-ip", "rate", "burst"]);

/** Why an option that was said has no effect on the outlet; `undefined` where it has one. */
export function whyIgnored(
  name: string,
  { outlet, label }: { outlet: OutletConfig; label?: Label },
): string | undefined {
  const service = SERVICES.get(outlet.service)!;
  const surroundings = {
    table: { ...service.options, ...OUTLET_OPTIONS, ...ADMISSION_OPTIONS },
    values: { ...outlet.serviceOptions, ...outlet.outletOptions, ...outlet.admissionOptions },
    ...(label ? { label } : {}),
  };
  return whyUseless(name, surroundings) ?? whyOverruled(name, surroundings) ??
    whyUnfit(label?.(name) ?? name, { name, outlet });
}

/** Why it has no effect on this kind of socket. */
export function whyUnfit(
  label: string,
  { name, outlet: { listen, outletOptions } }: {
    name: string;
    outlet: Pick<OutletConfig, "listen" | "outletOptions">;
  },
): string | undefined {
  const address = formatAddress(listen);
  if (!isUnix(listen)) {
    return OF_FILES.has(name) ? `${label} is for Unix sockets: ${address} has no file` : undefined;
  }
  if (OF_TCP.has(name)) return `${label} is for TCP: it has no effect at ${address}`;
  if (!BY_ADDRESS.has(name) || outletOptions["accept-proxy"]) return undefined;
  return `${label} goes by clients' addresses, which they do not have at ${address}`;
}

/**
 * Anybody could claim to be anybody, if whoever reaches the outlet were believed.
 *
 * @throws {UsageError} which says what to add
 */
export function checkProxies(
  options: OutletOptions,
  { listen }: Pick<OutletConfig, "listen">,
): void {
  if (!options["accept-proxy"] || options["trusted-proxy"].length > 0) return;
  if (isUnix(listen) || isLoopback(listen.hostname)) return;
  throw new UsageError(
    "accept-proxy needs trusted-proxy, the addresses of the proxies, " +
      "for others than this machine reach the outlet",
    { option: "trusted-proxy" },
  );
}
