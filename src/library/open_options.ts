/**
 * What a program asks for that opens outlets: the words of a config file, as objects.
 *
 * @module
 */
import type { AdmissionConfig } from "../config/admission_options.ts";
import { readConfigJson } from "../config/config_file.ts";
import { type OutletOptions, SERVER_OPTIONS, type ServerConfig } from "../config/server_config.ts";
import { UsageError } from "../options/usage_error.ts";
import type { OutletEvent } from "../events/events.ts";

/**
 * The value of an option, as in a config file: `5` or `"5s"` for a duration, `true` for a switch, a list for an option
 * that may be given more than once.
 */
export type OptionValue = string | number | boolean | readonly (string | number)[] | undefined;

/** The options of every outlet and of admission, as a config file names them. */
export type CommonOptions =
  & { readonly [Name in keyof OutletOptions]?: OptionValue }
  & { readonly [Name in keyof AdmissionConfig]?: OptionValue };

/** An outlet as an object: the service, the address, and the options that are not to be the defaults. */
export interface OutletObject extends CommonOptions {
  /** The service's name, such as `echo`. */
  readonly service: string;
  /** Where to listen: `:0` (a free port of 127.0.0.1), `HOST:PORT` or `unix:PATH`. */
  readonly listen: string;
  /** What events call it; the service's name, unless given. */
  readonly name?: string;
  /** The service's own options. */
  readonly [option: string]: OptionValue;
}

/** An outlet: in one word, such as `echo://:0?idle-timeout=5s`, or as an object. */
export type OutletSpec = string | OutletObject;

/** A whole config: outlets, and the options that all of them share. */
export interface OpenOptions<Specs extends readonly OutletSpec[] = readonly OutletSpec[]>
  extends CommonOptions {
  /** The outlets, in the order in which they are opened. */
  readonly outlets: Specs;
  /** How long connections may go on once `stop` is called; 10 seconds, unless given. */
  readonly "drain-timeout"?: OptionValue;
  /** The NATS server over which chat rooms reach other servers. */
  readonly bus?: OptionValue;
  /** The file of credentials for it. */
  readonly "bus-credentials"?: OptionValue;
  /** The file of the CAs that vouch for it. */
  readonly "bus-ca"?: OptionValue;
  /** Told of every event, from the first `listening` on. What it throws is an uncaught error. */
  readonly onEvent?: (event: OutletEvent) => void;
}

/** The options of a server as a whole that hold without the program around it. */
const OFFERED: ReadonlySet<string> = new Set(["drain-timeout", "bus", "bus-credentials", "bus-ca"]);

/**
 * The config that is asked for, with defaults for all that is not said.
 *
 * @throws {UsageError} which names what is wrong, or cannot be had through the library
 */
export function readOpenOptions({ onEvent: _, ...asked }: OpenOptions): ServerConfig {
  const values = withoutUndefined(asked);
  for (const name of Object.keys(values)) refuseForProgram(name);
  const outlets = Array.isArray(asked.outlets) ? asked.outlets.map(withoutUndefined) : undefined;
  const config = readConfigJson({ ...values, ...outlets ? { outlets } : {} });
  if (config.outlets.length === 0) {
    throw new UsageError('nothing to open: name an outlet, such as "echo://:0"');
  }
  const at = config.outlets.findIndex(({ service }) => service === "stdio");
  if (at === -1) return config;
  throw new UsageError(
    `outlets[${at}]: stdio cannot be had through the library: stdin and stdout are the program's`,
  );
}

function refuseForProgram(name: string): void {
  if (!Object.hasOwn(SERVER_OPTIONS, name) || OFFERED.has(name)) return;
  const instead = name.startsWith("log-") ? "events() and onEvent tell what happens" : undefined;
  throw new UsageError(
    `${name} cannot be had through the library: ${instead ?? "run outlet server for it"}`,
    { option: name },
  );
}

/** An optional property that is `undefined` is one that is not there. */
function withoutUndefined<T>(value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, value]) => value !== undefined)) as T;
}
