/**
 * An outlet in one word: `SERVICE://[HOST]:PORT[?key=value&…]`, or `SERVICE+unix:///PATH[?…]`.
 *
 * @module
 */
import { findService, outletConfig, outletTable, type ParsedOptions } from "./outlet_config.ts";
import { type Resolve, resolveAddress, resolvePaths } from "./paths.ts";
import type { OutletConfig } from "./server_config.ts";
import { about, quote, unknownWord, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { type Address, type InternetAddress, splitHostPort } from "../endpoint/address.ts";
import { addWord } from "../options/read_word.ts";
import { readListen, readPath } from "../endpoint/parse.ts";

/** What is known of a SPEC. */
export interface SpecContext {
  /** What was said of all outlets; the SPEC's own keys win. */
  readonly common: ParsedOptions;
  /** Makes paths whole that are not meant from the working folder. */
  readonly resolve?: Resolve;
}

/** What a SPEC says of its outlet. */
interface Spec {
  readonly service: Service;
  readonly listen: Address;
  readonly own: ParsedOptions;
}

/**
 * Reads a SPEC.
 *
 * @throws {UsageError} which names the SPEC and the part at fault
 */
export function readSpec(
  word: string,
  { common, resolve = (path) => path }: SpecContext,
): OutletConfig {
  try {
    const { service, listen, own } = parseSpec(word);
    return outletConfig(service, {
      listen: resolveAddress(listen, resolve),
      own: resolvePaths(own, { table: outletTable(service), resolve }),
      common,
    });
  } catch (error) {
    throw about(quote(word), error);
  }
}

function parseSpec(word: string): Spec {
  const match = /^([^:/?#+]*)(\+unix)?:\/\/([^?#]*)(?:\?(.*))?$/.exec(word);
  if (!match) throw new UsageError(`expected SERVICE://[HOST]:PORT, ${guess(word)}`);
  const [, name = "", unix, endpoint = "", query = ""] = match;
  const service = findService(name);
  return {
    service,
    listen: unix ? { path: readPath(endpoint) } : readEndpoint(name, endpoint.replace(/\/$/, "")),
    own: readQuery(query, service),
  };
}

/** What a word that is no SPEC may be meant for. */
function guess(word: string): string {
  const [, name = "", host = "", port] = /^([a-z]+)?:?\/{0,2}(.*?)(?::|^)(\d+)$/i.exec(word) ?? [];
  const service = SERVICES.has(name) ? name : SERVICES.has(word) ? word : "echo";
  if (port === undefined) return `such as ${service}://:7007`;
  return name !== "" && !SERVICES.has(name)
    ? `such as echo://:7007`
    : `did you mean ${service}://${host}:${port}?`;
}

function readEndpoint(name: string, endpoint: string): InternetAddress {
  const parts = splitHostPort(endpoint);
  if (parts && parts.port !== "") return readListen(parts);
  if (/^\d+$/.test(endpoint)) {
    throw new UsageError(`expected [HOST]:PORT: did you mean ${name}://:${endpoint}?`);
  }
  throw new UsageError(`expected a port, as in ${name}://${endpoint.replace(/:$/, "")}:7007`);
}

function readQuery(query: string, service: Service): Map<string, unknown> {
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
    addWord({ name, option, word, label: name }, values);
  }
  return values;
}
