/**
 * The schema of the config file, derived from the option tables.
 *
 * @module
 */
import { z } from "zod";
import type { Option, OptionTable } from "../options/option.ts";
import { unknownName, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import { type Listens, OUTLET_LISTEN } from "../endpoint/parse.ts";
import { outletTable } from "./outlet_config.ts";
import { ADMISSION_OPTIONS } from "./admission_options.ts";
import { SERVER_OPTIONS } from "./server_config.ts";
import { OUTLET_OPTIONS } from "./outlet_options.ts";

/** An outlet in a config file: these keys, and options by name. */
export interface FileOutlet {
  /** The service's name. */
  readonly service: string;
  /** Where to listen. */
  readonly listen: Listens;
  /** Options by name. */
  readonly [option: string]: unknown;
}

/** A config file: the outlets, and options of the server by name. */
export interface FileContent {
  /** The outlets, in order, as objects or SPECs. */
  readonly outlets: readonly (string | FileOutlet)[];
  /** Options by name. */
  readonly [option: string]: unknown;
}

const SEE_KEYS = "valid keys are the options in outlet server --help";

/** The most characters of a wrong value in an error. */
const MAX_QUOTED = 60;

/** A fault in a file. */
export interface FileFault {
  /** The keys and indexes that lead to the value. */
  readonly path: readonly PropertyKey[];
  /** What is wrong. */
  readonly message: string;
}

/** Built when first used: building it takes longer than reading a file with it. */
let schema: ReturnType<typeof fileSchema> | undefined;

/** The content of a config file, or all faults in it. */
export function checkFile(
  json: unknown,
): { readonly content: FileContent } | { readonly faults: readonly FileFault[] } {
  const { data, error } = (schema ??= fileSchema()).safeParse(json, { reportInput: true });
  return error ? { faults: error.issues.flatMap(innermost) } : { content: data };
}

/** For an outlet, the faults of the form it has, a SPEC or an object, instead of those of both. */
function innermost(issue: z.core.$ZodIssue): FileFault[] {
  if (issue.code !== "invalid_union" || issue.errors.length < 2) return [issue];
  const branch = issue.errors[typeof issue.input === "string" ? 0 : 1]!;
  return branch.map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

/** The JSON Schema of config files, for editors. */
export function jsonSchema(): object {
  return {
    title: "outlet server --config",
    ...z.toJSONSchema(fileSchema(), { io: "input", target: "draft-7" }),
  };
}

const SPEC = z.string().meta({ description: "an outlet as a SPEC: SERVICE://[HOST]:PORT" });

function fileSchema(): z.ZodType<FileContent> {
  const outlet = z.discriminatedUnion(
    "service",
    [...SERVICES.values()].map(outletSchema) as [z.ZodObject, ...z.ZodObject[]],
    { error: ({ input }) => wrongService(input) },
  );
  return objectOf({
    $schema: z.string().optional().meta({ description: "URL of this schema, for editors" }),
    outlets: z.array(z.union([SPEC, outlet]), {
      error: expected("a list of outlets"),
    }),
    ...shapeOf({ ...ADMISSION_OPTIONS, ...OUTLET_OPTIONS, ...SERVER_OPTIONS }),
  }) as unknown as z.ZodType<FileContent>;
}

function outletSchema(service: Service): z.ZodObject {
  return objectOf({
    service: z.literal(service.name).meta({ description: service.summary }),
    listen: z.string({ error: expected(OUTLET_LISTEN.expects) })
      .transform((word, context) =>
        attempt(() => OUTLET_LISTEN.parse(word), { context, input: word })
      )
      .meta({
        description:
          "address to listen on: HOST:PORT, :PORT (on 127.0.0.1) or unix:PATH; PORT may be a list",
      }),
    ...shapeOf(outletTable(service)),
  });
}

function objectOf(shape: Record<string, z.ZodType>): z.ZodObject {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys!.map((key) =>
          unknownName(key, { noun: "key", choices: Object.keys(shape), see: SEE_KEYS }).message
        ).join("; ")
        : expected("an object")(issue),
  });
}

function shapeOf(table: OptionTable): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => [
      name,
      valueOf(option).optional().meta({ description: option.summary }),
    ]),
  );
}

/** A value, or a list of values, parsed as on the command line. */
function valueOf(option: Option): z.ZodType {
  const { expects, secret = false } = option;
  const item = itemOf(option).transform((input, context) =>
    attempt(() => option.parseItem(String(input)), { context, input, expects, secret })
  );
  return option.repeats ? z.array(item, { error: expected(`a list: ${expects}`) }) : item;
}

/** The JSON type of a value; the option itself checks the rest. */
function itemOf({ expects, placeholder, choices, bounds, unit }: Option): z.ZodType {
  const error = expected(expects);
  if (placeholder === undefined) return z.boolean({ error });
  if (bounds && choices) {
    const number = z.int().min(bounds.min).max(bounds.max);
    return z.union([number, z.enum(choices as [string, ...string[]])], { error });
  }
  if (choices) return z.enum(choices as [string, ...string[]], { error });
  if (bounds) return z.int({ error }).min(bounds.min, { error }).max(bounds.max, { error });
  if (unit) return z.union([z.string(), z.number()], { error });
  return z.string({ error });
}

interface Attempt {
  readonly context: z.RefinementCtx;
  readonly input: unknown;
  readonly expects?: string;
  readonly secret?: boolean;
}

function attempt(
  read: () => unknown,
  { context, input, expects = OUTLET_LISTEN.expects, secret = false }: Attempt,
): unknown {
  try {
    const value = read();
    if (value !== undefined) return value;
    throw new UsageError(`expected ${expects}`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    context.addIssue({
      code: "custom",
      message: secret ? error.message : `${shown(input)}: ${error.message}`,
    });
    return z.NEVER;
  }
}

function expected(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) =>
    input === undefined ? `missing: expected ${what}` : `expected ${what}, not ${shown(input)}`;
}

function wrongService(input: unknown): string {
  if (typeof input !== "object" || input === null) return expected("an outlet")({ input });
  const { service } = input as { service?: unknown };
  const known = [...SERVICES.keys()];
  if (typeof service === "string") {
    return unknownName(service, { noun: "service", choices: known }).message;
  }
  return expected(`one of ${known.join(", ")}`)({ input: service });
}

function shown(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > MAX_QUOTED ? text.slice(0, MAX_QUOTED - 1) + "…" : text;
}
