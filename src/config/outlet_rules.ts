/**
 * Finds options that have no effect on an outlet, because of its kind of socket or its other options.
 *
 * @module
 */
import { type Label, whyExcluded, whyNoEffect } from "../options/requirements.ts";
import { UsageError } from "../options/usage_error.ts";
import { isForAll } from "../endpoint/acl.ts";
import { formatAddress, isAbstract, isLoopback, isUnix } from "../endpoint/address.ts";
import { KEEP_ALIVE_OPTIONS } from "../transport/keep_alive_options.ts";
import { SERVICES } from "../services/registry.ts";
import { whyNotOverUdp } from "./udp_rules.ts";
import { ADMISSION_OPTIONS } from "./admission_options.ts";
import type { OutletConfig } from "./server_config.ts";
import { OUTLET_OPTIONS, type OutletOptions } from "./outlet_options.ts";

/** Options of Unix sockets. */
const UNIX_ONLY: ReadonlySet<string> = new Set(["mode"]);

/** Options of TCP sockets. */
const TCP_ONLY: ReadonlySet<string> = new Set([
  "backlog",
  "keep-alive",
  "trusted-proxy",
  ...Object.keys(KEEP_ALIVE_OPTIONS),
]);

/** Options about client addresses; on a Unix socket clients have one only from a PROXY header. */
const BY_ADDRESS: ReadonlySet<string> = new Set(["allow", "deny", "max-per-ip", "rate", "burst"]);

/** Why a given option has no effect on the outlet; `undefined` where it has one. */
export function whyIgnored(
  name: string,
  { outlet, label }: { outlet: OutletConfig; label?: Label },
): string | undefined {
  const service = SERVICES.get(outlet.service)!;
  const context = {
    table: { ...service.options, ...OUTLET_OPTIONS, ...ADMISSION_OPTIONS },
    values: { ...outlet.serviceOptions, ...outlet.outletOptions, ...outlet.admissionOptions },
    ...(label ? { label } : {}),
  };
  const named = label?.(name) ?? name;
  return whyNotOverUdp(named, { name, outlet }) ?? whyNoEffect(name, context) ??
    whyExcluded(name, context) ?? whyUnused(named, { name, outlet }) ??
    whyUnfit(named, { name, outlet });
}

/** Why an option of the service has no effect beside the service's other options. */
function whyUnused(
  label: string,
  { name, outlet: { service, serviceOptions } }: { name: string; outlet: OutletConfig },
): string | undefined {
  const why = SERVICES.get(service)!.whyIgnored?.(name, serviceOptions);
  return why && `${label} ${why}`;
}

/** Why an option has no effect on the outlet's kind of socket. */
function whyUnfit(
  label: string,
  { name, outlet }: {
    name: string;
    outlet: Pick<OutletConfig, "listen" | "service" | "outletOptions">;
  },
): string | undefined {
  const { listen, outletOptions } = outlet;
  const address = formatAddress(listen);
  if (!isUnix(listen)) {
    return UNIX_ONLY.has(name)
      ? `${label} is only for Unix sockets, not for ${address}`
      : undefined;
  }
  if (UNIX_ONLY.has(name) && isAbstract(listen.path)) {
    return `${label} is about the file of a Unix socket, and ${address} has none`;
  }
  if (TCP_ONLY.has(name)) return `${label} is only for TCP, not for ${address}`;
  const { "accept-proxy": header, "forwarded-for": forwarded } = outletOptions;
  if (!BY_ADDRESS.has(name) || header || forwarded) return undefined;
  return `${label} is about client addresses, and clients at ${address} have none`;
}

/**
 * Refuses PROXY headers from anybody: a client could claim any address.
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
      "because other machines can reach the outlet",
    { option: "trusted-proxy" },
  );
}

/** The option that writes to stdout, if one does. */
export function stdoutOption(
  { output, json, "hex-dump": dump }: OutletOptions,
): "json" | "hex-dump" | undefined {
  if (dump === "-") return "hex-dump";
  return json && output === undefined ? "json" : undefined;
}

/**
 * Refuses to mix records with the data of a service on stdout.
 *
 * @throws {UsageError} which says what to add
 */
export function checkOutputs({ service, serviceOptions, outletOptions }: OutletConfig): void {
  const option = stdoutOption(outletOptions);
  if (option === undefined) return;
  if (!SERVICES.get(service)!.usesStandardStreams?.(serviceOptions)) return;
  const instead = option === "json" ? "give it an output file" : "name a file";
  throw new UsageError(
    `${option} would be mixed with the data of ${service} on stdout: ${instead}`,
    {
      option,
    },
  );
}

/** Whether the outlet uses stdin or stdout. */
export function usesStandardStreams(outlet: OutletConfig): boolean {
  const { service, serviceOptions, outletOptions } = outlet;
  return SERVICES.get(service)!.usesStandardStreams?.(serviceOptions) ||
    stdoutOption(outletOptions) !== undefined;
}

/**
 * Refuses a service for everybody that must not be one, such as an open proxy. `allow` are the rules
 * about clients, those for all outlets included.
 *
 * @throws {UsageError} which says what to add
 */
export function checkOpenness(
  { service: name, listen, serviceOptions, outletOptions }: OutletConfig,
  allow: readonly string[],
): void {
  const openness = SERVICES.get(name)!.openness?.(serviceOptions);
  if (!openness || (allow.length > 0 && !allow.some(isForAll))) return;
  const { "accept-proxy": header, "forwarded-for": forwarded } = outletOptions;
  if (outletOptions["tls-client-ca"] !== undefined) return;
  if (!header && !forwarded && (isUnix(listen) || isLoopback(listen.hostname))) return;
  const { option, what, remedy } = openness;
  throw new UsageError(
    `${name} at ${
      formatAddress(listen)
    } would be ${what}: give it ${remedy}, or allow (its clients)`,
    { option },
  );
}
