/**
 * An outlet in one word: `SERVICE://[HOST]:PORT[?key=value&…]`, or `SERVICE+unix:///PATH[?…]`.
 *
 * @module
 */
import { findService, outletConfig, outletTable } from "./outlet_config.ts";
import type { OutletConfig } from "./server_config.ts";
import { about, quote, unknownWord, UsageError } from "../options/usage_error.ts";
import type { Service } from "../services/service.ts";
import { type InternetAddress, splitHostPort } from "../endpoint/address.ts";
import { addWord } from "../options/read_word.ts";
import { readListen, readPath } from "../endpoint/parse.ts";

/**
 * Reads a SPEC. `common` holds what flags said for all outlets; the SPEC's own keys win.
 *
 * @throws {UsageError} which names the SPEC and the part at fault
 */
export function readSpec(word: string, common: ReadonlyMap<string, unknown>): OutletConfig {
  try {
    const match = /^([^:/?#+]*)(\+unix)?:\/\/([^?#]*)(?:\?(.*))?$/.exec(word);
    if (!match) throw new UsageError("expected SERVICE://[HOST]:PORT, such as echo://:7007");
    const [, name = "", unix, place = "", query = ""] = match;
    const service = findService(name);
    return outletConfig(service, {
      listen: unix ? { path: readPath(place) } : readPlace(name, place.replace(/\/$/, "")),
      said: readQuery(query, service),
      common,
    });
  } catch (error) {
    throw about(quote(word), error);
  }
}

function readPlace(name: string, place: string): InternetAddress {
  const parts = splitHostPort(place);
  if (parts && parts.port !== "") return readListen(parts);
  throw new UsageError(`expected a port, as in ${name}://${place.replace(/:$/, "")}:7007`);
}

function readQuery(query: string, service: Service): Map<string, unknown> {
  const table = outletTable(service);
  const said = new Map<string, unknown>();
  for (const [name, word] of new URLSearchParams(query)) {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!option) throw unknownWord(`option of ${service.name}`, name, Object.keys(table));
    addWord({ name, option, word, label: name }, said);
  }
  return said;
}
