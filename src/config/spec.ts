/**
 * Parses SPECs: `SERVICE://[HOST]:PORT[?key=value&…]`, `SERVICE+udp://[HOST]:PORT[?…]`, or
 * `SERVICE+unix:///PATH[?…]`.
 *
 * @module
 */
import { findService, outletConfig, outletTable, type ParsedOptions } from "./outlet_config.ts";
import { absoluteAddress, absolutePaths, type Resolve } from "./paths.ts";
import type { OutletConfig } from "./server_config.ts";
import { quote, unknownWord, UsageError, withSubject } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { type Address, type InternetAddress, overUdp, splitHostPort } from "../endpoint/address.ts";
import { addValue } from "../options/add_value.ts";
import { parseListen, readPath } from "../endpoint/parse.ts";

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
  readonly listen: Address;
  readonly own: ParsedOptions;
}

/**
 * Parses a SPEC into the config of an outlet.
 *
 * @throws {UsageError} which names the SPEC and the part at fault
 */
export function parseSpec(
  word: string,
  { common, resolve = (path) => path }: SpecContext,
): OutletConfig {
  try {
    const { service, listen, own } = splitSpec(word);
    return outletConfig(service, {
      listen: absoluteAddress(listen, resolve),
      own: absolutePaths(own, { table: outletTable(service), resolve }),
      common,
    });
  } catch (error) {
    throw withSubject(quote(word), error);
  }
}

function splitSpec(word: string): Spec {
  const match = /^([^:/?#+]*)(?:\+([^:/?#]*))?:\/\/([^?#]*)(?:\?(.*))?$/.exec(word);
  if (!match) throw new UsageError(`expected SERVICE://[HOST]:PORT, ${guess(word)}`);
  const [, name = "", transport = "tcp", endpoint = "", query = ""] = match;
  const service = findService(name);
  return {
    service,
    listen: parseAddress(endpoint, { name, transport }),
    own: parseQuery(query, service),
  };
}

/** Parses the address of a SPEC, whose form depends on the transport. */
function parseAddress(
  endpoint: string,
  { name, transport }: { name: string; transport: string },
): Address {
  const scheme = `${name}+${transport}`;
  switch (transport) {
    case "tcp":
      return parseHostPort(name, endpoint.replace(/\/$/, ""));
    case "udp":
      return overUdp(parseHostPort(scheme, endpoint.replace(/\/$/, "")));
    case "unix":
      return { path: readPath(endpoint) };
  }
  if (/^(udp\+tls|tls\+udp|dtls)$/.test(transport)) {
    throw new UsageError(`${scheme}: TLS over UDP (DTLS) is not supported`);
  }
  throw new UsageError(`unknown transport ${quote(transport)}: expected tcp, udp or unix`);
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

function parseHostPort(name: string, endpoint: string): InternetAddress {
  const parts = splitHostPort(endpoint);
  if (parts && parts.port !== "") return parseListen(parts);
  if (/^\d+$/.test(endpoint)) {
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
        words: Object.keys(table),
        see: `see outlet help ${service.name}`,
      });
    }
    addValue({ name, option, word, label: name }, values);
  }
  return values;
}
