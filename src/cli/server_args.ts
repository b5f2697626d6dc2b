/**
 * The words behind `outlet server`.
 *
 * @module
 */
import {
  GATE_OPTIONS,
  OUTLET_OPTIONS,
  SERVER_OPTIONS,
  type ServerConfig,
} from "../config/server_config.ts";
import { findService, outletConfig, refuseTwins } from "../config/outlet_config.ts";
import { option, type OptionTable, PORT, TEXT, valuesOf } from "../options/option.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { DEFAULT_HOST, readListen } from "../socket/place.ts";
import { type Flags, readFlags } from "./flags.ts";
import { readSpec } from "./spec.ts";

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
export const SERVER_FLAGS: OptionTable = {
  ...PLAIN_OPTIONS,
  ...GATE_OPTIONS,
  ...OUTLET_OPTIONS,
  ...SERVER_OPTIONS,
};

/**
 * Reads the words behind `outlet server`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readServer(words: readonly string[]): ServerConfig {
  const service = namedService(words);
  const flags = readFlags(words, { ...serviceFlags(words, service), ...SERVER_FLAGS });
  const { operands } = flags;
  const said = withCommand(flags, operands.map(serviceOf).concat(service));
  const outlets = operands.map((word) => readSpec(word, said));
  const plain = valuesOf(PLAIN_OPTIONS, said);
  const saysWhere = plain.host !== undefined || plain.port !== undefined;
  if (saysWhere && !service && outlets.length > 0) {
    const flag = plain.port === undefined ? "--host" : "--port";
    throw new UsageError(`${flag} beside a SPEC needs --service, to say what is offered there`);
  }
  if (service || outlets.length === 0) {
    outlets.push(outletConfig(service ?? findService(DEFAULT_SERVICE), {
      listen: readListen({ host: plain.host ?? "", port: String(plain.port ?? DEFAULT_PORT) }),
      common: said,
    }));
  }
  refuseTwins(outlets);
  return {
    outlets,
    options: valuesOf(SERVER_OPTIONS, said),
    gateOptions: valuesOf(GATE_OPTIONS, said),
  };
}

/** The options of every service that the words name are flags too, so the names have to be read first. */
function serviceFlags(words: readonly string[], named: Service | undefined): OptionTable {
  const services = beforeCommand(words).map(serviceOf).concat(named);
  return Object.assign({}, ...services.map((service) => service?.options));
}

/** The service in front of a SPEC's `://`, where the word is one. */
function serviceOf(word: string): Service | undefined {
  return SERVICES.get(/^([^:/]+):\/\//.exec(word)?.[1] ?? "");
}

/** What was said, with the words behind `--` as the command of the services that run one. */
function withCommand(
  { said, rest }: Flags,
  services: readonly (Service | undefined)[],
): ReadonlyMap<string, unknown> {
  if (rest.length === 0) return said;
  const options = services.flatMap((service) => service?.command ?? []);
  if (options.length > 0) {
    return new Map([
      ...said,
      ...options.map((name) => [name, rest] as const),
    ]);
  }
  throw new UsageError(
    `${quote(rest[0]!)}: nothing is expected behind --, for no outlet runs a program`,
  );
}

function beforeCommand(words: readonly string[]): readonly string[] {
  return words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
}

/** The service that `--service` names. */
function namedService(words: readonly string[]): Service | undefined {
  const flags = beforeCommand(words);
  const at = flags.findIndex((word) => /^--service(=|$)/.test(word));
  if (at === -1) return undefined;
  const name = flags[at]!.split("=")[1] ?? flags[at + 1];
  return name === undefined ? undefined : findService(name);
}
