/**
 * The words behind `outlet server`.
 *
 * @module
 */
import {
  OUTLET_OPTIONS,
  type OutletConfig,
  SERVER_OPTIONS,
  type ServerConfig,
} from "../config/server_config.ts";
import { option, type OptionTable, PORT, TEXT } from "../options/option.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import type { Service } from "../services/service.ts";
import { formatAddress } from "../socket/address.ts";
import { readFlags, valuesOf } from "./flags.ts";
import { DEFAULT_HOST, findService, outletConfig, readSpec } from "./spec.ts";

const DEFAULT_SERVICE = "chat";
const DEFAULT_PORT = 7000;

/** An outlet in plain flags, for those who would rather not write a SPEC. */
const PLAIN_OPTIONS = {
  service: option(TEXT, "what the outlet offers; its own options become flags beside it", {
    placeholder: "SERVICE",
    defaultText: DEFAULT_SERVICE,
  }),
  host: option(TEXT, "where it listens: an address of this machine, or 0.0.0.0 or :: for all", {
    placeholder: "HOST",
    defaultText: DEFAULT_HOST,
  }),
  port: option(PORT, "on which port; 0 takes a free one", {
    short: "p",
    placeholder: "PORT",
    defaultText: String(DEFAULT_PORT),
  }),
} as const;

/** Every flag of `outlet server` that does not depend on the service. */
export const SERVER_FLAGS: OptionTable = { ...PLAIN_OPTIONS, ...OUTLET_OPTIONS, ...SERVER_OPTIONS };

/**
 * Reads the words behind `outlet server`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readServer(words: readonly string[]): ServerConfig {
  const service = namedService(words);
  const { said, operands, rest } = readFlags(words, { ...service?.options, ...SERVER_FLAGS });
  if (rest.length > 0) throw new UsageError(`${quote(rest[0]!)}: nothing is expected behind --`);
  const outlets = operands.map((word) => readSpec(word, said));
  const plain = valuesOf(PLAIN_OPTIONS, said);
  const saysWhere = plain.host !== undefined || plain.port !== undefined;
  if (saysWhere && !service && outlets.length > 0) {
    const flag = plain.port === undefined ? "--host" : "--port";
    throw new UsageError(`${flag} beside a SPEC needs --service, to say what is offered there`);
  }
  if (service || outlets.length === 0) {
    outlets.push(outletConfig(service ?? findService(DEFAULT_SERVICE), {
      host: plain.host ?? DEFAULT_HOST,
      port: String(plain.port ?? DEFAULT_PORT),
      said,
    }));
  }
  refuseTwins(outlets);
  return { outlets, options: valuesOf(SERVER_OPTIONS, said) };
}

/** The service that `--service` names: its own options are flags too, so it has to be known first. */
function namedService(words: readonly string[]): Service | undefined {
  const flags = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
  const at = flags.findIndex((word) => /^--service(=|$)/.test(word));
  if (at === -1) return undefined;
  const name = flags[at]!.split("=")[1] ?? flags[at + 1];
  return name === undefined ? undefined : findService(name);
}

function refuseTwins(outlets: readonly OutletConfig[]): void {
  const taken = new Map<string, OutletConfig>();
  for (const outlet of outlets) {
    const address = formatAddress(outlet.listen);
    const twin = taken.get(address);
    if (twin && outlet.listen.port !== 0) {
      throw new UsageError(
        `${twin.service} and ${outlet.service} both want ${address}: an address has one outlet`,
      );
    }
    taken.set(address, outlet);
  }
}
