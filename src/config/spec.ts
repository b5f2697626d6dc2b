/**
 * Parses SPECs: `SERVICE://[HOST]:PORT[?key=value&…]`, or `SERVICE+TRANSPORT://ADDRESS[?…]`, such as
 * `SERVICE+unix:///PATH`, `SERVICE+udp://[HOST]:PORT` or `SERVICE+ws://[HOST]:PORT`. A list of ports
 * is an outlet for each.
 *
 * @module
 */
import { findService, outletConfigs, outletTable, type ParsedOptions } from "./outlet_config.ts";
import { absoluteAddress, absolutePaths, type Resolve } from "./paths.ts";
import type { OutletConfig } from "./server_config.ts";
import { quote, unknownWord, UsageError, withSubject } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { splitHostPort } from "../endpoint/address.ts";
import { addValue } from "../options/add_value.ts";
import {
  type InternetListens,
  type Listens,
  listensOverUdp,
  parseListens,
  readPath,
} from "../endpoint/parse.ts";
import { parseTransport, type Transport } from "../endpoint/transport.ts";

/** What a SPEC's config depends on beside the SPEC. */
export interface SpecContext {
  /** Options of all outlets; the SPEC's own win. */
  readonly common: ParsedOptions;
  /** Makes paths absolute; by default they are left as they are. */
  readonly resolve?: Resolve;
}

/** The parts of a SPEC. */
interface Spec {
  readonly service: Service;
  readonly listen: Listens;
  readonly own: ParsedOptions;
}

/**
 * Parses a SPEC into the config of its outlets.
 *
 * @throws {UsageError} which names the SPEC and the part at fault
 */
export function parseSpec(
  word: string,
  { common, resolve = (path) => path }: SpecContext,
): OutletConfig[] {
  try {
    const { service, listen, own } = splitSpec(word);
    return outletConfigs(service, {
      listen: listen.map((address) => absoluteAddress(address, resolve)),
      own: absolutePaths(own, { table: outletTable(service), resolve }),
      common,
    });
  } catch (error) {
    throw withSubject(quote(word), error);
  }
}

/** The addresses that a valid SPEC listens on. */
export function listensOf(word: string): Listens {
  return splitSpec(word).listen;
}

function splitSpec(word: string): Spec {
  const match = /^([^:/?#+]*)(?:\+([^:/?#]*))?:\/\/([^?#]*)(?:\?(.*))?$/.exec(word);
  if (!match) throw new UsageError(`expected SERVICE://[HOST]:PORT, ${guess(word)}`);
  const [, name = "", transport, endpoint = "", query = ""] = match;
  const service = findService(name);
  const { carrier, layers } = parseTransport(transport ?? "tcp");
  const scheme = transport === undefined ? name : `${name}+${transport}`;
  return {
    service,
    listen: parseAddresses(endpoint, { scheme, carrier }),
    own: withLayers(parseQuery(query, service), layers),
  };
}

/** Parses the addresses of a SPEC, whose form depends on the carrier. */
function parseAddresses(
  endpoint: string,
  { scheme, carrier }: { scheme: string; carrier: Transport["carrier"] },
): Listens {
  if (carrier === "unix") return [{ path: readPath(endpoint) }];
  const listens = parseHostPort(scheme, endpoint.replace(/\/$/, ""));
  return carrier === "udp" ? listensOverUdp(listens) : listens;
}

/** The options, with the layers that the transport names. */
function withLayers(
  own: ReadonlyMap<string, unknown>,
  layers: readonly string[],
): ReadonlyMap<string, unknown> {
  const twice = layers.find((name) => own.has(name));
  if (twice === undefined) return new Map([...own, ...layers.map((name) => [name, true] as const)]);
  throw new UsageError(`the transport already says ${twice}: leave ?${twice} out`, {
    option: twice,
  });
}

/** A hint for a word that is not a SPEC. */
function guess(word: string): string {
  const [, name = "", host = "", port] = /^([a-z]+)?:?\/{0,2}(.*?)(?::|^)(\d+)$/i.exec(word) ?? [];
  const service = SERVICES.has(name) ? name : SERVICES.has(word) ? word : "echo";
  if (port === undefined) return `such as ${service}://:7007`;
  return name !== "" && !SERVICES.has(name)
    ? `such as echo://:7007`
    : `did you mean ${service}://${host}:${port}?`;
}

function parseHostPort(name: string, endpoint: string): InternetListens {
  const parts = splitHostPort(endpoint);
  if (parts && parts.port !== "") return parseListens(parts);
  if (/^\d[\d,-]*$/.test(endpoint)) {
    throw new UsageError(`expected [HOST]:PORT: did you mean ${name}://:${endpoint}?`);
  }
  throw new UsageError(`expected a port, as in ${name}://${endpoint.replace(/:$/, "")}:7007`);
}

function parseQuery(query: string, service: Service): Map<string, unknown> {
  const table = outletTable(service);
  const values = new Map<string, unknown>();
  for (const [name, word] of new URLSearchParams(query)) {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!option) {
      throw unknownWord(name, {
        noun: `option of ${service.name}`,
        choices: Object.keys(table),
        see: `see outlet help ${service.name}`,
      });
    }
    addValue({ name, option, word, label: name }, values);
  }
  return values;
}
