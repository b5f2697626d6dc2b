/**
 * The options of the library's `open`: those of a config file, as objects.
 *
 * @module
 */
import type { AdmissionConfig } from "../config/admission_options.ts";
import { countOutlets, parseConfigJson } from "../config/config_file.ts";
import { SERVER_OPTIONS, type ServerConfig } from "../config/server_config.ts";
import { stdoutOption, usesStandardStreams } from "../config/outlet_rules.ts";
import type { OutletOptions } from "../config/outlet_options.ts";
import { UsageError } from "../options/usage_error.ts";
import type { OutletEvent } from "../events/events.ts";

/**
 * The value of an option, as in a config file: `5` or `"5s"` for a duration, `true` for a boolean, a list for an option
 * that may be given more than once.
 */
export type OptionValue = string | number | boolean | readonly (string | number)[] | undefined;

/** The options of outlets and of admission, by their names in a config file. */
export type CommonOptions =
  & { readonly [Name in keyof OutletOptions]?: OptionValue }
  & { readonly [Name in keyof AdmissionConfig]?: OptionValue };

/** An outlet as an object. */
export interface OutletObject extends CommonOptions {
  /** The service's name, such as `echo`. */
  readonly service: string;
  /** Where to listen: `:0` (a free port of 127.0.0.1), `HOST:PORT` or `unix:PATH`. */
  readonly listen: string;
  /** Its name in events; the service's name by default. */
  readonly name?: string;
  /** The service's own options. */
  readonly [option: string]: OptionValue;
}

/** An outlet as a SPEC, such as `echo://:0?idle-timeout=5s`, or as an object. */
export type OutletSpec = string | OutletObject;

/** A config: outlets, and options for all of them. */
export interface OpenOptions<Specs extends readonly OutletSpec[] = readonly OutletSpec[]>
  extends CommonOptions {
  /** The outlets, in the order in which they are opened. */
  readonly outlets: Specs;
  /** How long connections may continue after `stop`; 10 seconds by default. */
  readonly "drain-timeout"?: OptionValue;
  /** The URL of the NATS server that connects chat rooms of several servers. */
  readonly bus?: OptionValue;
  /** The credentials file for NATS. */
  readonly "bus-credentials"?: OptionValue;
  /** The file of CA certificates to trust for NATS. */
  readonly "bus-ca"?: OptionValue;
  /** Called for every event, from the first `listening` on. What it throws is reported as an uncaught error. */
  readonly onEvent?: (event: OutletEvent) => void;
}

/** The server's options that do not depend on the process. */
const SUPPORTED: Readonly<
  Record<Exclude<keyof OpenOptions, keyof CommonOptions | "outlets" | "onEvent">, true>
> = { "drain-timeout": true, "bus": true, "bus-credentials": true, "bus-ca": true };

/** A config, and how many of its outlets each of the given ones stands for: several with a list of ports. */
export interface ParsedOpenOptions {
  /** The config of the server. */
  readonly config: ServerConfig;
  /** The number of outlets of each that was given. */
  readonly counts: readonly number[];
}

/**
 * Builds the config of a server.
 *
 * @throws {UsageError} which names what is wrong, or not supported by the library
 */
export async function parseOpenOptions(
  { onEvent: _, ...given }: OpenOptions,
): Promise<ParsedOpenOptions> {
  const values = withoutUndefined(given);
  for (const name of Object.keys(values)) checkSupported(name);
  const outlets = Array.isArray(given.outlets) ? given.outlets.map(withoutUndefined) : undefined;
  const json = { ...values, ...outlets ? { outlets } : {} };
  const config = await parseConfigJson(json);
  if (config.outlets.length === 0) {
    throw new UsageError('nothing to open: name an outlet, such as "echo://:0"');
  }
  const at = config.outlets.findIndex(usesStandardStreams);
  if (at === -1) return { config, counts: countOutlets(json) };
  const outlet = config.outlets[at]!;
  throw new UsageError(
    `outlets[${at}]: ${
      stdoutOption(outlet.outletOptions) ?? outlet.service
    } is not supported by the library: stdin and stdout are the program's`,
  );
}

function checkSupported(name: string): void {
  if (!Object.hasOwn(SERVER_OPTIONS, name) || Object.hasOwn(SUPPORTED, name)) return;
  const instead = name.startsWith("log-") ? "use events() or onEvent" : undefined;
  throw new UsageError(
    `${name} is not supported by the library: ${instead ?? "run outlet server for it"}`,
    { option: name },
  );
}

/** Removes properties that are `undefined`. */
function withoutUndefined<T>(value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, value]) => value !== undefined)) as T;
}
