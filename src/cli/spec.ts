/**
 * An outlet in one word: `SERVICE://[HOST]:PORT[?key=value&…]`.
 *
 * @module
 */
import { findService, outletConfig, outletTable } from "../config/outlet_config.ts";
import type { OutletConfig } from "../config/server_config.ts";
import { about, quote, unknownWord, UsageError } from "../options/usage_error.ts";
import type { Service } from "../services/service.ts";
import { splitHostPort } from "../socket/address.ts";
import { addWord } from "./flags.ts";
import { readListen } from "../socket/place.ts";

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
      listen: readListen(parts),
      said: readQuery(query, service),
      common,
    });
  } catch (error) {
    throw about(quote(word), error);
  }
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
