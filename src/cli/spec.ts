/**
 * An outlet in one word: `SERVICE://[HOST]:PORT[?key=value&…]`.
 *
 * @module
 */
import { GATE_OPTIONS, OUTLET_OPTIONS, type OutletConfig } from "../config/server_config.ts";
import type { OptionTable } from "../options/option.ts";
import { about, quote, unknownWord, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { splitHostPort } from "../socket/address.ts";
import { addWord, valuesOf } from "./flags.ts";
import { readHost, readPort } from "../socket/place.ts";

/** Where an outlet listens when no host is said: this machine alone. */
export const DEFAULT_HOST = "127.0.0.1";

/**
 * Reads a SPEC. `common` holds what flags said for all outlets; the SPEC's own keys win.
 *
 * @throws {UsageError} which names the SPEC and the part at fault
 */
export function readSpec(word: string, common: ReadonlyMap<string, unknown>): OutletConfig {
  try {
    const match = /^([^:/?#]*):\/\/([^/?#]*)\/?(?:\?(.*))?$/.exec(word);
    if (!match) throw new UsageError("expected SERVICE://[HOST]:PORT, such as echo://:7007");
    const [, name = "", place = "", query = ""] = match;
    const service = findService(name);
    const parts = splitHostPort(place);
    if (!parts || parts.port === "") {
      throw new UsageError(`expected a port, as in ${name}://${place.replace(/:$/, "")}:7007`);
    }
    return outletConfig(service, {
      host: parts.host,
      port: parts.port,
      said: readQuery(query, service),
      common,
    });
  } catch (error) {
    throw about(quote(word), error);
  }
}

/** The service of this name. */
export function findService(name: string): Service {
  const service = SERVICES.get(name);
  if (service) return service;
  throw unknownWord("service", name, [...SERVICES.keys()]);
}

/**
 * An outlet for a service, from words that say where and values that say how: `said` for this outlet,
 * `common` for all of them. What is common about doors is the server's own.
 */
export function outletConfig(
  service: Service,
  { host, port, said, common }: {
    host: string;
    port: string;
    said?: ReadonlyMap<string, unknown>;
    common: ReadonlyMap<string, unknown>;
  },
): OutletConfig {
  const all = new Map([...common, ...said ?? []]);
  const serviceOptions = valuesOf(service.options, all);
  service.check?.(serviceOptions);
  return {
    service: service.name,
    listen: {
      hostname: host === "" ? DEFAULT_HOST : readHost(host, "host"),
      port: readPort(port, "port"),
    },
    serviceOptions,
    outletOptions: valuesOf(OUTLET_OPTIONS, all),
    gateOptions: valuesOf(GATE_OPTIONS, said ?? new Map()),
  };
}

function readQuery(query: string, service: Service): Map<string, unknown> {
  const table: OptionTable = { ...service.options, ...OUTLET_OPTIONS, ...GATE_OPTIONS };
  const said = new Map<string, unknown>();
  for (const [name, word] of new URLSearchParams(query)) {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!option) throw unknownWord(`option of ${service.name}`, name, Object.keys(table));
    addWord({ name, option, word, label: name }, said);
  }
  return said;
}
