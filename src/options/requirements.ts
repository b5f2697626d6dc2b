/**
 * Options that mean nothing without others, or beside others: they are refused, never ignored.
 *
 * @module
 */
import type { OptionTable } from "./option.ts";
import { UsageError } from "./usage_error.ts";

/** How an option is called where it was said: `--tls-cert` on a command line, `tls-cert` in a SPEC or a file. */
export type Label = (name: string) => string;

/** The name as it stands in a SPEC, a file and a form. */
export function asKey(name: string): string {
  return name;
}

/** The name as it stands on a command line. */
export function asFlag(name: string): string {
  return `--${name}`;
}

/** What is known when an option is judged. */
export interface Surroundings {
  /** The options that there are. */
  readonly table: OptionTable;
  /** Their values. */
  readonly values: Readonly<Record<string, unknown>>;
  /** How to call them. */
  readonly label?: Label;
}

/** Why an option has no effect beside these values, in words; `undefined` where it has one. */
export function whyUseless(
  name: string,
  { table, values, label = asKey }: Surroundings,
): string | undefined {
  const option = table[name];
  if (!option || isDefault(values[name], option.default)) return undefined;
  const { needs = [], excludes = [] } = option;
  const rival = excludes.find((other) => isChosen(other, { table, values }));
  if (rival !== undefined) return `${label(name)} and ${label(rival)} exclude each other`;
  if (needs.length === 0 || needs.some((other) => isOn(values[other]))) return undefined;
  const needed = needs.map(label).join(" or ");
  return `${label(name)} needs ${needed}, without which it has no effect`;
}

/** Why what was said of all has no effect beside what was said of one; `undefined` where it has one, or is its own. */
export function whyOverruled(
  name: string,
  { table, values, label = asKey }: Surroundings,
): string | undefined {
  if (!table[name] || !isDefault(values[name], table[name].default)) return undefined;
  const rival = rivalsOf(name, table).find((other) => isChosen(other, { table, values }));
  return rival && `${label(name)} and ${label(rival)} exclude each other`;
}

/**
 * Refuses what was said without effect.
 *
 * @throws {UsageError} which names the option, and what it needs or excludes
 */
export function refuseUseless(said: Iterable<string>, surroundings: Surroundings): void {
  for (const name of said) {
    const why = whyUseless(name, surroundings);
    if (why !== undefined) throw new UsageError(why, { option: name });
  }
}

/** What was said of all, and what was said of one, which wins: also over what it excludes. */
export function mergeValues(
  table: OptionTable,
  { common, own }: {
    common: ReadonlyMap<string, unknown>;
    own: ReadonlyMap<string, unknown>;
  },
): Map<string, unknown> {
  const merged = new Map([...common, ...own]);
  for (const name of own.keys()) {
    for (const rival of rivalsOf(name, table)) if (!own.has(rival)) merged.delete(rival);
  }
  return merged;
}

function rivalsOf(name: string, table: OptionTable): string[] {
  const others = Object.keys(table).filter((other) => table[other]!.excludes?.includes(name));
  return [...table[name]?.excludes ?? [], ...others];
}

/** Whether the value asks for nothing but what is the case anyway. */
function isDefault(value: unknown, standard: unknown): boolean {
  return value === undefined || JSON.stringify(value) === JSON.stringify(standard);
}

/** Whether an option is in use because somebody said so: what is so anyway stands in nobody's way. */
function isChosen(name: string, { table, values }: Surroundings): boolean {
  return isOn(values[name]) && !isDefault(values[name], table[name]?.default);
}

/** Whether an option that has this value is in use. */
function isOn(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== false && value !== 0 && value !== "off";
}
