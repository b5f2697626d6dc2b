/**
 * A server's config in the form of its file: what was asked for, without what is the default anyway.
 *
 * @module
 */
import type { OptionTable, Scalar } from "../options/option.ts";
import { formatAddress } from "../endpoint/address.ts";
import { findService } from "./outlet_config.ts";
import { isEqual } from "./equal.ts";
import {
  ADMISSION_OPTIONS,
  OUTLET_OPTIONS,
  type OutletConfig,
  SERVER_OPTIONS,
  type ServerConfig,
} from "./server_config.ts";

type Written = Record<string, Scalar | readonly Scalar[]>;

/** The text of a file that asks for this server. */
export function writeConfig(
  { outlets, options, admissionOptions: limits }: ServerConfig,
): string {
  const file = {
    outlets: outlets.map(writeOutlet),
    ...writeValues(ADMISSION_OPTIONS, limits),
    ...writeValues(SERVER_OPTIONS, options),
  };
  return JSON.stringify(file, null, 2) + "\n";
}

function writeOutlet(outlet: OutletConfig): Written {
  return {
    service: outlet.service,
    listen: formatAddress(outlet.listen),
    ...writeValues(findService(outlet.service).options, outlet.serviceOptions),
    ...writeValues(OUTLET_OPTIONS, outlet.outletOptions),
    ...writeValues(ADMISSION_OPTIONS, outlet.admissionOptions),
  };
}

function writeValues(table: OptionTable, values: object): Written {
  const written: Written = {};
  for (const [name, value] of Object.entries(values)) {
    const option = table[name]!;
    if (isEqual(value, option.default)) continue;
    const items = value as readonly unknown[];
    written[name] = option.repeats ? items.map((item) => option.write(item)) : option.write(value);
  }
  return written;
}
