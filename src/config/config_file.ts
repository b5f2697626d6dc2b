/**
 * Reads a server's config file: JSON with comments and trailing commas.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { UsageError, withSubject } from "../options/usage_error.ts";
import { nextTurn, TurnBudget } from "../scheduling/turn_budget.ts";
import { explain } from "../transport/errors.ts";
import { asFlag, asKey } from "../options/requirements.ts";
import {
  findService,
  outletConfigs,
  outletTable,
  type ParsedOptions,
  serverConfig,
} from "./outlet_config.ts";
import { absoluteAddress, absolutePaths, type Resolve } from "./paths.ts";
import { parseJsonc } from "./jsonc.ts";
import { checkFile, type FileContent, type FileOutlet } from "./schema.ts";
import { listensOf, parseSpec } from "./spec.ts";
import { type OutletConfig, SERVER_OPTIONS, type ServerConfig } from "./server_config.ts";
import { OUTLET_OPTIONS } from "./outlet_options.ts";

/** The most faults of a file in one error. */
const MAX_FAULTS = 5;

/** The characters of a file whose parsing is a turn of its own. */
const LONG_TEXT = 16 * 1024;

/** Outlets parsed in one turn of the event loop. */
const TURN = { units: 256, clockEvery: 16 };

/**
 * Reads a config file. Flags override the file's settings for all outlets, but not those of a single outlet.
 *
 * @throws {UsageError} which names the path of each wrong value, and what was expected, or where the file cannot be read
 */
export async function readConfigFile(
  path: string,
  flags: ParsedOptions = new Map(),
): Promise<ServerConfig> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new UsageError(`cannot read the config file ${path}: ${explain(cause)}`, { cause });
  }
  try {
    return await parseConfig(text, { flags, directory: dirname(resolve(path)) });
  } catch (error) {
    throw withSubject(path, error);
  }
}

/** What a config depends on beside its text. */
export interface ConfigContext {
  /** The values of flags. */
  readonly flags?: ParsedOptions;
  /** The directory that relative paths start from; the working directory by default. */
  readonly directory?: string;
}

/**
 * Parses the text of a config file, in turns of the event loop: a server that reloads goes on serving.
 *
 * @throws {UsageError} which names the path of each wrong value, and what was expected
 */
export async function parseConfig(
  text: string,
  context: ConfigContext = {},
): Promise<ServerConfig> {
  const json = parseJsonc(text);
  if (text.length > LONG_TEXT) await nextTurn();
  return await parseConfigJson(json, context);
}

/**
 * Builds the config from the parsed JSON of a config file.
 *
 * @throws {UsageError} which names the path of each wrong value, and what was expected
 */
export async function parseConfigJson(
  json: unknown,
  { flags = new Map(), directory = Deno.cwd() }: ConfigContext = {},
): Promise<ServerConfig> {
  const { outlets, $schema: _, ...values } = check(json);
  const table = { ...OUTLET_OPTIONS, ...SERVER_OPTIONS };
  const absolute = (path: string) => resolve(directory, path);
  const common = new Map([
    ...absolutePaths(new Map(Object.entries(values)), { table, resolve: absolute }),
    ...flags,
  ]);
  const budget = new TurnBudget(TURN);
  const parsed: OutletConfig[] = [];
  for (const [at, outlet] of outlets.entries()) {
    const turn = budget.spend();
    if (turn) await turn;
    parsed.push(...parseOutlet(outlet, { at, common, resolve: absolute }));
  }
  return serverConfig(parsed, common, {
    label: (name) => flags.has(name) ? asFlag(name) : asKey(name),
  });
}

/**
 * How many outlets each item of `outlets` in the JSON of a config file stands for.
 *
 * @throws {UsageError} which names the path of each wrong value, and what was expected
 */
export function countOutlets(json: unknown): number[] {
  return check(json).outlets.map((outlet) =>
    (typeof outlet === "string" ? listensOf(outlet) : outlet.listen).length
  );
}

function check(json: unknown): FileContent {
  const checked = checkFile(json);
  if ("content" in checked) return checked.content;
  const faults = checked.faults.map(({ path, message }) =>
    path.length === 0 ? message : `${formatPath(path)}: ${message}`
  );
  const more = faults.length > MAX_FAULTS ? `; and ${faults.length - MAX_FAULTS} more` : "";
  throw new UsageError(faults.slice(0, MAX_FAULTS).join("; ") + more);
}

function parseOutlet(
  outlet: string | FileOutlet,
  { at, common, resolve }: { at: number; common: ParsedOptions; resolve: Resolve },
): OutletConfig[] {
  try {
    if (typeof outlet === "string") return parseSpec(outlet, { common, resolve });
    const { service: name, listen, ...values } = outlet;
    const service = findService(name);
    const table = outletTable(service);
    return outletConfigs(service, {
      listen: listen.map((address) => absoluteAddress(address, resolve)),
      own: absolutePaths(new Map(Object.entries(values)), { table, resolve }),
      common,
    });
  } catch (error) {
    throw withSubject(`outlets[${at}]`, error);
  }
}

/** `outlets[0].idle-timeout` */
function formatPath(path: readonly PropertyKey[]): string {
  return path.map((step) => typeof step === "number" ? `[${step}]` : `.${String(step)}`).join("")
    .replace(/^\./, "");
}
