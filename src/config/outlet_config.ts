/**
 * An outlet out of what was said of it, wherever that was: in flags, in a SPEC, or in a file.
 *
 * @module
 */
import { type OptionTable, valuesOf } from "../options/option.ts";
import { unknownWord, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { type Address, formatAddress, isLoopback, isUnix } from "../endpoint/address.ts";
import { checkConsole } from "./console_options.ts";
import {
  ADMISSION_OPTIONS,
  type AdmissionConfig,
  OUTLET_OPTIONS,
  type OutletConfig,
  type OutletOptions,
  SERVER_OPTIONS,
  type ServerConfig,
} from "./server_config.ts";
import { checkTls } from "./tls_server_options.ts";

/** What was said: values by the names of their options. */
export type SpecValues = ReadonlyMap<string, unknown>;

/** Everything that can be said of one outlet of this service. */
export function outletTable(service: Service): OptionTable {
  return { ...service.options, ...OUTLET_OPTIONS, ...ADMISSION_OPTIONS };
}

/** The service of this name. */
export function findService(name: string): Service {
  const service = SERVICES.get(name);
  if (service) return service;
  throw unknownWord("service", name, [...SERVICES.keys()]);
}

/**
 * An outlet for a service: `said` was said of it alone, `common` of all outlets. What is common about doors
 * is the server's own.
 *
 * @throws {UsageError} where its options don't go together
 */
export function outletConfig(
  service: Service,
  { listen, said = new Map(), common }: { listen: Address; said?: SpecValues; common: SpecValues },
): OutletConfig {
  const all = new Map([...common, ...said]);
  const serviceOptions = valuesOf(service.options, all);
  service.check?.(serviceOptions);
  const outletOptions = valuesOf(OUTLET_OPTIONS, all);
  checkProxies(outletOptions, listen);
  checkTls(outletOptions);
  if (outletOptions.mode !== undefined && !isUnix(listen) && said.has("mode")) {
    throw new UsageError(`mode is for Unix sockets: ${formatAddress(listen)} has no file`);
  }
  return {
    service: service.name,
    listen,
    serviceOptions,
    outletOptions,
    admissionOptions: admissionOptions(said),
  };
}

function admissionOptions(said: SpecValues): AdmissionConfig {
  const options = valuesOf(ADMISSION_OPTIONS, said);
  if (options.burst === undefined || options.rate !== undefined) return options;
  throw new UsageError("burst needs rate: how many connections a second, and how many at once");
}

/** Anybody could claim to be anybody, if whoever reaches the outlet were believed. */
function checkProxies(options: OutletOptions, listen: Address): void {
  if (!options["accept-proxy"] || options["trusted-proxy"].length > 0) return;
  if (isUnix(listen) || isLoopback(listen.hostname)) return;
  throw new UsageError(
    "accept-proxy needs trusted-proxy, the addresses of the proxies, " +
      "for others than this machine reach the outlet",
  );
}

/**
 * A whole server, of these outlets and what was said of all of them.
 *
 * @throws {UsageError} where two outlets want the same address, or the console one that everybody reaches
 */
export function serverConfig(outlets: readonly OutletConfig[], said: SpecValues): ServerConfig {
  refuseDuplicateAddresses(outlets);
  const options = valuesOf(SERVER_OPTIONS, said);
  checkConsole(options);
  return {
    outlets,
    options,
    admissionOptions: admissionOptions(said),
  };
}

function refuseDuplicateAddresses(outlets: readonly OutletConfig[]): void {
  const taken = new Map<string, OutletConfig>();
  for (const outlet of outlets) {
    const address = formatAddress(outlet.listen);
    const twin = taken.get(address);
    if (twin && (isUnix(outlet.listen) || outlet.listen.port !== 0)) {
      throw new UsageError(
        `${twin.service} and ${outlet.service} both want ${address}: an address has one outlet`,
      );
    }
    taken.set(address, outlet);
  }
}
