/**
 * What a config file may say. Its keys are the flags' names, and all of it derives from the tables of
 * options: a new service or option is in here by itself.
 *
 * @module
 */
import { z } from "zod";
import type { Option, OptionTable } from "../options/option.ts";
import { unknownWord, UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { Service } from "../services/service.ts";
import type { Address } from "../endpoint/address.ts";
import { OUTLET_LISTEN } from "../endpoint/parse.ts";
import { outletTable } from "./outlet_config.ts";
import { ADMISSION_OPTIONS } from "./admission_options.ts";
import { OUTLET_OPTIONS, SERVER_OPTIONS } from "./server_config.ts";

/** One outlet, as a file says it: besides these, values by the names of options. */
export interface FileOutlet {
  /** The service's name. */
  readonly service: string;
  /** Where to listen. */
  readonly listen: Address;
  /** The options that the file names. */
  readonly [option: string]: unknown;
}

/** A whole file: besides the outlets, values by the names of options, which hold for the whole server. */
export interface FileContent {
  /** The outlets, in order, each as an object or as a SPEC. */
  readonly outlets: readonly (string | FileOutlet)[];
  /** The options that the file names. */
  readonly [option: string]: unknown;
}

/** Where all keys are listed. */
const SEE_KEYS = "a file has the options that outlet server --help lists";

/** The most that is quoted of a value that is wrong. */
const QUOTED = 60;

/** A fault in a file: where it is, and what was expected there. */
export interface FileFault {
  /** The keys and places in lists that lead there. */
  readonly path: readonly PropertyKey[];
  /** What is wrong, in words. */
  readonly message: string;
}

/** Made once it is needed: it takes longer than to read a file with it. */
let schema: ReturnType<typeof fileSchema> | undefined;

/** What a file's JSON says; where it is no config, all that is wrong with it. */
export function checkFile(
  json: unknown,
): { readonly content: FileContent } | { readonly faults: readonly FileFault[] } {
  const { data, error } = (schema ??= fileSchema()).safeParse(json, { reportInput: true });
  return error ? { faults: error.issues.flatMap(innermost) } : { content: data };
}

/** The faults behind one: of an outlet, those of the form that it is in, a word or an object. */
function innermost(issue: z.core.$ZodIssue): FileFault[] {
  if (issue.code !== "invalid_union" || issue.errors.length < 2) return [issue];
  const branch = issue.errors[typeof issue.input === "string" ? 0 : 1]!;
  return branch.map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

/** What a file may say as JSON Schema, for editors. */
export function jsonSchema(): object {
  return {
    title: "outlet server --config",
    ...z.toJSONSchema(fileSchema(), { io: "input", target: "draft-7" }),
  };
}

/** An outlet in one word; what it says is read by who reads those of the command line. */
const SPEC = z.string().meta({ description: "an outlet in one word: SERVICE://[HOST]:PORT" });

function fileSchema(): z.ZodType<FileContent> {
  const outlet = z.discriminatedUnion(
    "service",
    [...SERVICES.values()].map(outletSchema) as [z.ZodObject, ...z.ZodObject[]],
    { error: ({ input }) => wrongService(input) },
  );
  return objectOf({
    $schema: z.string().optional().meta({ description: "where editors find what is valid here" }),
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
        attempt(() => OUTLET_LISTEN.read(word), { context, input: word })
      )
      .meta({
        description: "where it listens: HOST:PORT, :PORT on this machine alone, or unix:PATH",
      }),
    ...shapeOf(outletTable(service)),
  });
}

function objectOf(shape: Record<string, z.ZodType>): z.ZodObject {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys!.map((key) =>
          unknownWord(key, { noun: "key", words: Object.keys(shape), see: SEE_KEYS }).message
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

/** A value, or a list of them, read as the word on the command line would be. */
function valueOf(option: Option): z.ZodType {
  const { expects, secret = false } = option;
  const item = itemOf(option).transform((input, context) =>
    attempt(() => option.parseItem(String(input)), { context, input, expects, secret })
  );
  return option.repeats ? z.array(item, { error: expected(`a list: ${expects}`) }) : item;
}

/** What JSON can say at all; the rest is for the option itself to judge. */
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
    return unknownWord(service, { noun: "service", words: known }).message;
  }
  return expected(`one of ${known.join(", ")}`)({ input: service });
}

function shown(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > QUOTED ? text.slice(0, QUOTED - 1) + "…" : text;
}
