/**
 * A server's config as a file: JSON in which comments and trailing commas may stand.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { about, UsageError } from "../options/usage_error.ts";
import { explain } from "../transport/errors.ts";
import { asFlag, asKey } from "../options/requirements.ts";
import {
  findService,
  outletConfig,
  outletTable,
  type ParsedOptions,
  serverConfig,
} from "./outlet_config.ts";
import { type Resolve, resolveAddress, resolvePaths } from "./paths.ts";
import { parseJsonc } from "./jsonc.ts";
import { checkFile, type FileContent, type FileOutlet } from "./schema.ts";
import { readSpec } from "./spec.ts";
import {
  OUTLET_OPTIONS,
  type OutletConfig,
  SERVER_OPTIONS,
  type ServerConfig,
} from "./server_config.ts";

/** Faults of a file that are told at once. */
const TOLD = 5;

/**
 * Reads a config file. What flags said beside it wins over what the file says of all outlets, and loses
 * against what it says of one.
 *
 * @throws {UsageError} which names the path of every value at fault, and what was expected
 * @throws {Error} where the file can't be read
 */
export async function readConfigFile(
  path: string,
  flags: ParsedOptions = new Map(),
): Promise<ServerConfig> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new Error(`cannot read the config ${path}: ${explain(cause)}`, { cause });
  }
  try {
    return readConfig(text, { flags, folder: dirname(resolve(path)) });
  } catch (error) {
    throw about(path, error);
  }
}

/** What is known of a config file beside its text. */
export interface ConfigContext {
  /** What flags said beside it. */
  readonly flags?: ParsedOptions;
  /** The folder that its relative paths are meant from, where that is not the working folder. */
  readonly folder?: string;
}

/**
 * Reads the text of a config file.
 *
 * @throws {UsageError} which names the path of every value at fault, and what was expected
 */
export function readConfig(text: string, context: ConfigContext = {}): ServerConfig {
  return readConfigJson(parseJsonc(text), context);
}

/**
 * Reads what a config file says, from the value that its JSON stands for.
 *
 * @throws {UsageError} which names the path of every value at fault, and what was expected
 */
export function readConfigJson(
  json: unknown,
  { flags = new Map(), folder = Deno.cwd() }: ConfigContext = {},
): ServerConfig {
  const { outlets, $schema: _, ...values } = check(json);
  const table = { ...OUTLET_OPTIONS, ...SERVER_OPTIONS };
  const whole = (path: string) => resolve(folder, path);
  const common = new Map([
    ...resolvePaths(new Map(Object.entries(values)), { table, resolve: whole }),
    ...flags,
  ]);
  return serverConfig(
    outlets.map((outlet, at) => readOutlet(outlet, { at, common, resolve: whole })),
    common,
    { label: (name) => flags.has(name) ? asFlag(name) : asKey(name) },
  );
}

function check(json: unknown): FileContent {
  const checked = checkFile(json);
  if ("content" in checked) return checked.content;
  const faults = checked.faults.map(({ path, message }) =>
    path.length === 0 ? message : `${formatPath(path)}: ${message}`
  );
  const more = faults.length > TOLD ? `; and ${faults.length - TOLD} more` : "";
  throw new UsageError(faults.slice(0, TOLD).join("; ") + more);
}

function readOutlet(
  outlet: string | FileOutlet,
  { at, common, resolve }: { at: number; common: ParsedOptions; resolve: Resolve },
): OutletConfig {
  try {
    if (typeof outlet === "string") return readSpec(outlet, { common, resolve });
    const { service: name, listen, ...values } = outlet;
    const service = findService(name);
    const table = outletTable(service);
    return outletConfig(service, {
      listen: resolveAddress(listen, resolve),
      own: resolvePaths(new Map(Object.entries(values)), { table, resolve }),
      common,
    });
  } catch (error) {
    throw about(`outlets[${at}]`, error);
  }
}

/** `outlets[0].idle-timeout` */
function formatPath(path: readonly PropertyKey[]): string {
  return path.map((step) => typeof step === "number" ? `[${step}]` : `.${String(step)}`).join("")
    .replace(/^\./, "");
}
