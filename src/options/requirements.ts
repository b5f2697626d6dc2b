/**
 * Checks that options fit together: `needs` and `excludes` of an option table.
 *
 * @module
 */
import type { OptionTable } from "./option.ts";
import { UsageError } from "./usage_error.ts";

/** How an option is named to the user: `--tls-cert` on a command line, `tls-cert` in a SPEC or a file. */
export type Label = (name: string) => string;

/** The name in a SPEC, a file or a form. */
export function asKey(name: string): string {
  return name;
}

/** The name on a command line. */
export function asFlag(name: string): string {
  return `--${name}`;
}

/** The values that an option is checked against. */
export interface OptionContext {
  /** The options. */
  readonly table: OptionTable;
  /** Their values. */
  readonly values: Readonly<Record<string, unknown>>;
  /** How options are named to the user. */
  readonly label?: Label;
}

/** Why the option has no effect with these values; `undefined` where it has one, or has its default. */
export function whyNoEffect(
  name: string,
  { table, values, label = asKey }: OptionContext,
): string | undefined {
  const option = table[name];
  if (!option || isDefault(values[name], option.default)) return undefined;
  const { needs = [], excludes = [] } = option;
  const rival = excludes.find((other) => isChosen(other, { table, values }));
  if (rival !== undefined) return `${label(name)} and ${label(rival)} exclude each other`;
  if (needs.length === 0 || needs.some((other) => isOn(values[other]))) return undefined;
  const needed = needs.map(label).join(" or ");
  return `${label(name)} needs ${needed}`;
}

/** Why a common value has no effect: the outlet's own values exclude it. `undefined` where it has one. */
export function whyExcluded(
  name: string,
  { table, values, label = asKey }: OptionContext,
): string | undefined {
  if (!table[name] || !isDefault(values[name], table[name].default)) return undefined;
  const rival = conflictsOf(name, table).find((other) => isChosen(other, { table, values }));
  return rival && `${label(name)} and ${label(rival)} exclude each other`;
}

/**
 * Refuses options that have no effect.
 *
 * @throws {UsageError} which names the option and what it needs or excludes
 */
export function checkRequirements(given: Iterable<string>, surroundings: OptionContext): void {
  for (const name of given) {
    const why = whyNoEffect(name, surroundings);
    if (why !== undefined) throw new UsageError(why, { option: name });
  }
}

/** Merges the common values with an outlet's own; these also remove common values that they exclude. */
export function mergeValues(
  table: OptionTable,
  { common, own }: {
    common: ReadonlyMap<string, unknown>;
    own: ReadonlyMap<string, unknown>;
  },
): Map<string, unknown> {
  const merged = new Map([...common, ...own]);
  for (const name of own.keys()) {
    for (const rival of conflictsOf(name, table)) if (!own.has(rival)) merged.delete(rival);
  }
  return merged;
}

function conflictsOf(name: string, table: OptionTable): string[] {
  const others = Object.keys(table).filter((other) => table[other]!.excludes?.includes(name));
  return [...table[name]?.excludes ?? [], ...others];
}

function isDefault(value: unknown, standard: unknown): boolean {
  return value === undefined || JSON.stringify(value) === JSON.stringify(standard);
}

/** Whether an option is in use and not by default. */
function isChosen(name: string, { table, values }: OptionContext): boolean {
  return isOn(values[name]) && !isDefault(values[name], table[name]?.default);
}

/** Whether an option with this value is in use. */
function isOn(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== false && value !== 0 && value !== "off";
}
