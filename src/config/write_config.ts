/**
 * Formats a server's config as a config file, without defaults.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Scalar } from "../options/kinds.ts";
import type { OptionTable } from "../options/option.ts";
import { formatAddress } from "../endpoint/address.ts";
import { findService } from "./outlet_config.ts";
import { isEqual } from "./equal.ts";
import { absoluteAddress, absoluteValue, type Resolve } from "./paths.ts";
import { ADMISSION_OPTIONS } from "./admission_options.ts";
import { type OutletConfig, SERVER_OPTIONS, type ServerConfig } from "./server_config.ts";
import { OUTLET_OPTIONS } from "./outlet_options.ts";

type Written = Record<string, Scalar | readonly Scalar[]>;

/** The text of a config file for this server. Paths are made absolute, from `directory`. */
export function writeConfig(
  { outlets, options, admissionOptions: limits }: ServerConfig,
  { directory = Deno.cwd() }: { directory?: string } = {},
): string {
  const absolute = (path: string) => resolve(directory, path);
  const file = {
    outlets: outlets.map((outlet) => writeOutlet(outlet, absolute)),
    ...writeValues(limits, { table: ADMISSION_OPTIONS, resolve: absolute }),
    ...writeValues(options, { table: SERVER_OPTIONS, resolve: absolute }),
  };
  return JSON.stringify(file, null, 2) + "\n";
}

function writeOutlet(outlet: OutletConfig, resolve: Resolve): Written {
  const { service, listen, name, serviceOptions, outletOptions, admissionOptions } = outlet;
  return {
    ...name === undefined ? {} : { name },
    service,
    listen: formatAddress(absoluteAddress(listen, resolve)),
    ...writeValues(serviceOptions, { table: findService(service).options, resolve }),
    ...writeValues(outletOptions, { table: OUTLET_OPTIONS, resolve }),
    ...writeValues(admissionOptions, { table: ADMISSION_OPTIONS, resolve }),
  };
}

function writeValues(
  values: object,
  { table, resolve }: { table: OptionTable; resolve: Resolve },
): Written {
  const written: Written = {};
  for (const [name, given] of Object.entries(values)) {
    const option = table[name]!;
    if (isEqual(given, option.default)) continue;
    const value = absoluteValue(given, { option, resolve });
    const items = value as readonly unknown[];
    written[name] = option.repeats ? items.map((item) => option.write(item)) : option.write(value);
  }
  return written;
}
