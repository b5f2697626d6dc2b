/**
 * An outlet out of what was said of it, wherever that was: in flags, in a SPEC, or in a file.
 *
 * @module
 */
import { type OptionTable, valuesOf } from "../options/option.ts";
import { asKey, type Label, mergeValues, refuseUseless } from "../options/requirements.ts";
import { unknownWord, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import type { Address } from "../endpoint/address.ts";
import { listeningAt, refuseCircles, refuseOverlaps } from "./addresses.ts";
import { checkConsole } from "./console_options.ts";
import { checkBus, checkWorkers } from "./server_rules.ts";
import { checkProxies, whyIgnored } from "./outlet_rules.ts";
import { ADMISSION_OPTIONS } from "./admission_options.ts";
import {
  OUTLET_IDENTITY,
  OUTLET_OPTIONS,
  type OutletConfig,
  SERVER_OPTIONS,
  type ServerConfig,
} from "./server_config.ts";
import { checkTls } from "./tls_server_options.ts";

/** What was said: values by the names of their options. */
export type ParsedOptions = ReadonlyMap<string, unknown>;

/** Everything that can be said of one outlet of this service. */
export function outletTable(service: Service): OptionTable {
  return { ...service.options, ...OUTLET_IDENTITY, ...OUTLET_OPTIONS, ...ADMISSION_OPTIONS };
}

/** The service of this name. */
export function findService(name: string): Service {
  const service = SERVICES.get(name);
  if (service) return service;
  throw unknownWord(name, { noun: "service", words: [...SERVICES.keys()] });
}

/**
 * An outlet for a service: `own` was said of it alone, `common` of all outlets. What is common about admission
 * is the server's own.
 *
 * @throws {UsageError} where its options don't go together
 */
export function outletConfig(
  service: Service,
  { listen, own = new Map(), common = new Map() }: {
    listen: Address;
    own?: ParsedOptions;
    common?: ParsedOptions;
  },
): OutletConfig {
  const all = mergeValues(outletTable(service), { common, own });
  const outlet: OutletConfig = {
    ...valuesOf(OUTLET_IDENTITY, own),
    service: service.name,
    listen,
    serviceOptions: valuesOf(service.options, all),
    outletOptions: valuesOf(OUTLET_OPTIONS, all),
    admissionOptions: valuesOf(ADMISSION_OPTIONS, own),
  };
  for (const name of own.keys()) {
    const why = whyIgnored(name, { outlet });
    if (why !== undefined) throw new UsageError(why, { option: name });
  }
  service.check?.(outlet.serviceOptions);
  checkProxies(outlet.outletOptions, outlet);
  checkTls(outlet.outletOptions);
  return outlet;
}

/** What is known of what was said of a whole server. */
export interface ServerContext {
  /** How its options are called in errors. */
  readonly label?: Label;
  /** Whether there is a console where nothing is said of it. */
  readonly consoleByDefault?: boolean;
}

/**
 * A whole server, of these outlets and what was said of all of them.
 *
 * @throws {UsageError} where outlets are in each other's way, or something that was said has no effect
 */
export function serverConfig(
  outlets: readonly OutletConfig[],
  common: ParsedOptions,
  { label = asKey, consoleByDefault = false }: ServerContext = {},
): ServerConfig {
  const options = valuesOf(SERVER_OPTIONS, common);
  const config = { outlets, options, admissionOptions: valuesOf(ADMISSION_OPTIONS, common) };
  refuseSameNames(outlets);
  refuseOverlaps(listeningAt(config));
  refuseCircles(outlets);
  refuseUseless(common.keys(), {
    table: { ...SERVER_OPTIONS, ...ADMISSION_OPTIONS },
    values: {
      ...options,
      ...config.admissionOptions,
      ...consoleByDefault && options.console === undefined ? { console: true } : {},
    },
    label,
  });
  refuseUselessForAll(config, { common, label });
  checkConsole(options);
  checkBus(options);
  checkWorkers(config);
  return config;
}

function refuseSameNames(outlets: readonly OutletConfig[]): void {
  const names = outlets.flatMap(({ name }) => name ?? []);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new UsageError(`two outlets have the name ${twice}: a name is of one outlet`);
}

/** Refuses what was said of all outlets, and has no effect on any. */
function refuseUselessForAll(
  { outlets, admissionOptions }: ServerConfig,
  { common, label }: { common: ParsedOptions; label: Label },
): void {
  for (const name of common.keys()) {
    const whys = outlets.filter((outlet) => name in outletTable(SERVICES.get(outlet.service)!)).map(
      (outlet) => whyIgnored(name, { outlet: { ...outlet, admissionOptions }, label }),
    );
    const [why] = whys;
    if (why !== undefined && !whys.includes(undefined)) throw new UsageError(why, { option: name });
  }
}
