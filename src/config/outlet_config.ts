/**
 * Builds and checks the config of a server and of its outlets.
 *
 * @module
 */
import { type OptionTable, valuesOf } from "../options/option.ts";
import { asKey, checkRequirements, type Label, mergeValues } from "../options/requirements.ts";
import { quote, unknownWord, UsageError, withSubject } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import type { Address } from "../endpoint/address.ts";
import { checkForwardingLoops, checkOverlaps, listeningAt } from "./addresses.ts";
import { checkConsole } from "./console_options.ts";
import { checkBus, checkWorkers } from "./server_rules.ts";
import { checkOpenness, checkProxies, whyIgnored } from "./outlet_rules.ts";
import { ADMISSION_OPTIONS } from "./admission_options.ts";
import { type OutletConfig, SERVER_OPTIONS, type ServerConfig } from "./server_config.ts";
import { OUTLET_IDENTITY, OUTLET_OPTIONS } from "./outlet_options.ts";
import { checkTransport } from "./udp_rules.ts";
import { checkTls } from "./tls_server_options.ts";

/** The options that were given: values by name. */
export type ParsedOptions = ReadonlyMap<string, unknown>;

/** All options of an outlet with this service. */
export function outletTable(service: Service): OptionTable {
  return { ...service.options, ...OUTLET_IDENTITY, ...OUTLET_OPTIONS, ...ADMISSION_OPTIONS };
}

/** The service with this name. Throws a UsageError where there is none. */
export function findService(name: string): Service {
  const service = SERVICES.get(name);
  if (service) return service;
  throw unknownWord(name, { noun: "service", choices: [...SERVICES.keys()] });
}

/**
 * The config of an outlet. `own` are its own options; `common` are those of all outlets, without admission, which
 * then limits the server as a whole.
 *
 * @throws {UsageError} where its options exclude each other or have no effect
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
  checkTransport(outlet);
  service.check?.(outlet.serviceOptions);
  checkProxies(outlet.outletOptions, outlet);
  checkTls(outlet.outletOptions);
  checkOpenness(outlet, valuesOf(ADMISSION_OPTIONS, all).allow);
  return outlet;
}

/**
 * The configs of outlets that differ in their address and in the number that is added to their name.
 *
 * @throws {UsageError} where its options exclude each other or have no effect
 */
export function outletConfigs(
  service: Service,
  { listen, own = new Map(), common = new Map() }: {
    listen: readonly Address[];
    own?: ParsedOptions;
    common?: ParsedOptions;
  },
): OutletConfig[] {
  return listen.map((address, at) => {
    const named = listen.length > 1 ? numbered(own, at + 1) : own;
    return outletConfig(service, { listen: address, own: named, common });
  });
}

/** The options with a number after the name, if there is one. */
function numbered(own: ParsedOptions, number: number): ParsedOptions {
  const name = own.get("name");
  if (name === undefined) return own;
  try {
    return new Map([...own, ["name", OUTLET_IDENTITY.name.parse(`${name}-${number}`)]]);
  } catch (error) {
    throw withSubject(`name ${quote(`${name}-${number}`)}`, error);
  }
}

/** How a server's config is built. */
export interface ServerContext {
  /** How options are named in errors. */
  readonly label?: Label;
  /** Whether the console is on where `console` is not given. */
  readonly consoleByDefault?: boolean;
}

/**
 * The config of a server with these outlets and common options.
 *
 * @throws {UsageError} where outlets conflict, or an option has no effect
 */
export function serverConfig(
  outlets: readonly OutletConfig[],
  common: ParsedOptions,
  { label = asKey, consoleByDefault = false }: ServerContext = {},
): ServerConfig {
  const options = valuesOf(SERVER_OPTIONS, common);
  const config = { outlets, options, admissionOptions: valuesOf(ADMISSION_OPTIONS, common) };
  checkUniqueNames(outlets);
  checkOverlaps(listeningAt(config));
  checkForwardingLoops(outlets);
  checkRequirements(common.keys(), {
    table: { ...SERVER_OPTIONS, ...ADMISSION_OPTIONS },
    values: {
      ...options,
      ...config.admissionOptions,
      ...consoleByDefault && options.console === undefined ? { console: true } : {},
    },
    label,
  });
  checkEffect(config, { common, label });
  checkConsole(options);
  checkBus(options);
  checkWorkers(config);
  return config;
}

function checkUniqueNames(outlets: readonly OutletConfig[]): void {
  const names = outlets.flatMap(({ name }) => name ?? []);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new UsageError(`two outlets are named ${twice}: names must be unique`);
}

/** Refuses common options that have no effect on any outlet. */
function checkEffect(
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
