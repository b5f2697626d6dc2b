/**
 * Parses the arguments of `outlet server`.
 *
 * @module
 */
import { ADMISSION_OPTIONS } from "../config/admission_options.ts";
import { SERVER_OPTIONS, type ServerConfig } from "../config/server_config.ts";
import { OUTLET_IDENTITY, OUTLET_OPTIONS } from "../config/outlet_options.ts";
import {
  findService,
  outletConfigs,
  type ParsedOptions,
  serverConfig,
} from "../config/outlet_config.ts";
import { file, type OptionKind, PORT, TEXT } from "../options/kinds.ts";
import { flag, option, type OptionTable, valuesOf } from "../options/option.ts";
import { asFlag, checkRequirements } from "../options/requirements.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { DEFAULT_HOST, parseListens } from "../endpoint/parse.ts";
import { PORT_LIST } from "../endpoint/ports.ts";
import { type Flags, parseFlags } from "./flags.ts";
import { parseSpec } from "../config/spec.ts";

const DEFAULT_SERVICE = "chat";
const DEFAULT_PORT = 7000;

/** A list of ports, as it was written. */
const PORTS: OptionKind<string> = {
  expects: PORT_LIST,
  placeholder: "PORT",
  parse(word) {
    if (!/\d[,-]/.test(word)) return PORT.parse(word) === undefined ? undefined : word;
    parseListens({ host: "", port: word });
    return word;
  },
};

/** The flags that describe one outlet, as an alternative to a SPEC. */
const PLAIN_OPTIONS = {
  service: option(TEXT, "service of the outlet; its options can then be given as flags", {
    placeholder: "SERVICE",
    defaultText: DEFAULT_SERVICE,
  }),
  host: option(TEXT, "address to listen on; 0.0.0.0 or :: for all", {
    placeholder: "HOST",
    defaultText: DEFAULT_HOST,
  }),
  port: option(PORTS, "port to listen on; 0: any free port; a list opens an outlet for each", {
    short: "p",
    placeholder: "PORT",
    defaultText: String(DEFAULT_PORT),
  }),
  ...OUTLET_IDENTITY,
} as const;

/** A user in a password file. */
const USER: OptionKind<string> = {
  expects: "a name of 1 to 64 printable characters without a colon",
  placeholder: "USER",
  parse: (word) => /^[^\p{C}:#\s][^\p{C}:]{0,63}$/u.test(word) ? word : undefined,
};

/** The flags about the config as a whole. */
const CONFIG_OPTIONS = {
  config: option(
    file("read"),
    "read outlets and options from this file; reload it when it changes",
  ),
  check: flag("check the configuration, open nothing, and exit", {
    excludes: ["print-config"],
  }),
  "print-config": flag("print the configuration as a config file, and exit"),
  "add-user": option(USER, "ask for a password, write the user to password-file, and exit", {
    needs: ["password-file"],
    excludes: ["check", "print-config", "config"],
  }),
  "password-file": option(file("append"), "file of users for auth of a proxy", {
    needs: ["add-user"],
  }),
} as const;

/** The flags of `outlet server`, without those of services. */
export const SERVER_FLAGS: OptionTable = {
  ...PLAIN_OPTIONS,
  ...CONFIG_OPTIONS,
  ...ADMISSION_OPTIONS,
  ...OUTLET_OPTIONS,
  ...SERVER_OPTIONS,
};

/** A user to add to a password file. */
export interface AddUserCommand {
  /** The discriminant. */
  readonly action: "add-user";
  /** The user. */
  readonly user: string;
  /** The file. */
  readonly file: string;
}

/** What to do, and the config or the file that has it. */
export type ServerCommand =
  & { readonly action: "serve" | "check" | "print-config" }
  & (
    | { readonly config: ServerConfig; readonly namesOutlets: boolean }
    | { readonly file: ConfigFile }
  );

/** A config file and the flags beside it. */
export interface ConfigFile {
  /** Its path. */
  readonly path: string;
  /** Flags, which override the file's settings for the server and for all outlets. */
  readonly flags: ParsedOptions;
}

/**
 * Parses the arguments of `outlet server`.
 *
 * @throws {UsageError} which names the argument at fault
 */
export function parseServerArgs(args: readonly string[]): ServerCommand | AddUserCommand {
  const service = namedService(args);
  const flags = parseFlags(args, {
    mode: "server",
    table: { ...serviceFlags(args, service), ...SERVER_FLAGS },
  });
  const values = withCommand(flags, flags.operands.map(serviceOf).concat(service));
  const options = valuesOf(CONFIG_OPTIONS, values);
  checkRequirements(values.keys(), { table: CONFIG_OPTIONS, values: options, label: asFlag });
  if (options["add-user"] !== undefined) return addUserCommand(values, flags.operands);
  const { config: path, check, "print-config": prints } = options;
  const action = check ? "check" : prints ? "print-config" : "serve";
  const plain = Object.keys(PLAIN_OPTIONS).find((name) => values.has(name));
  const named = flags.operands[0] ?? (plain && asFlag(plain));
  const common = new Map([...values].filter(([name]) => !Object.hasOwn(CONFIG_OPTIONS, name)));
  if (path === undefined) {
    const config = parseOutlets(flags.operands, { service, values: common });
    return { action, config, namesOutlets: named !== undefined };
  }
  if (named === undefined) return { action, file: { path, flags: common } };
  throw new UsageError(
    `${quote(named)} and --config exclude each other: the file lists the outlets`,
  );
}

function addUserCommand(values: ParsedOptions, operands: readonly string[]): AddUserCommand {
  const { "add-user": user = "", "password-file": file = "" } = valuesOf(CONFIG_OPTIONS, values);
  const other = [...values.keys()].find((name) => name !== "add-user" && name !== "password-file");
  const extra = operands[0] === undefined ? other && asFlag(other) : quote(operands[0]);
  if (extra === undefined) return { action: "add-user", user, file };
  throw new UsageError(`--add-user and ${extra} exclude each other: it opens no outlet`);
}

/** The config that SPECs and flags describe. */
function parseOutlets(
  specs: readonly string[],
  { service, values }: { service: Service | undefined; values: ParsedOptions },
): ServerConfig {
  const outlets = specs.flatMap((word) => parseSpec(word, { common: values }));
  const { host, port, name } = valuesOf(PLAIN_OPTIONS, values);
  if (outlets.length > 0) refuseHalfOutlet({ service, host, port, name });
  if (service || outlets.length === 0) {
    outlets.push(...outletConfigs(service ?? findService(DEFAULT_SERVICE), {
      listen: parseListens({ host: host ?? "", port: port ?? String(DEFAULT_PORT) }),
      own: new Map(name === undefined ? [] : [["name", name]]),
      common: values,
    }));
  }
  const consoleByDefault = specs.length === 0 &&
    !Object.keys(PLAIN_OPTIONS).some((name) => values.has(name));
  return serverConfig(outlets, values, { label: asFlag, consoleByDefault });
}

/** Refuses flags beside SPECs that do not describe one more outlet completely. */
function refuseHalfOutlet(
  { service, ...plain }: {
    service: Service | undefined;
    host: string | undefined;
    port: string | undefined;
    name: string | undefined;
  },
): void {
  const flag = (["port", "host", "name"] as const).find((name) => plain[name] !== undefined);
  if (service && plain.port === undefined) {
    throw new UsageError(
      `--service ${service.name} beside a SPEC asks for one more outlet: give its --port, ` +
        "or leave --service out",
    );
  }
  if (service || flag === undefined) return;
  throw new UsageError(
    flag === "name"
      ? "--name beside a SPEC needs --service; in a SPEC it is ?name=NAME"
      : `--${flag} beside a SPEC needs --service, to say what is offered there`,
  );
}

/** The options of the services that the arguments name, which are valid as flags. */
function serviceFlags(args: readonly string[], named: Service | undefined): OptionTable {
  const services = beforeCommand(args).map(serviceOf).concat(named);
  return Object.assign({}, ...services.map((service) => service?.options));
}

/** The service that a SPEC names, if it is one. */
function serviceOf(word: string): Service | undefined {
  return SERVICES.get(/^([^:/+]+)(?:\+[^:/?#]*)?:\/\//.exec(word)?.[1] ?? "");
}

/** The values, with the arguments after `--` as the command of the services that run one. */
function withCommand(
  { values, rest }: Flags,
  services: readonly (Service | undefined)[],
): ParsedOptions {
  if (rest.length === 0) return values;
  const options = services.flatMap((service) => service?.command ?? []);
  if (options.length > 0) {
    return new Map([
      ...values,
      ...options.map((name) => [name, rest] as const),
    ]);
  }
  throw new UsageError(
    `${quote(rest[0]!)}: nothing may follow --, for no outlet runs a program`,
  );
}

function beforeCommand(args: readonly string[]): readonly string[] {
  return args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);
}

/** The service that `--service` names. */
function namedService(args: readonly string[]): Service | undefined {
  const flags = beforeCommand(args);
  const at = flags.findIndex((word) => /^--service(=|$)/.test(word));
  if (at === -1) return undefined;
  const name = flags[at]!.split("=")[1] ?? flags[at + 1];
  return name === undefined ? undefined : findService(name);
}
