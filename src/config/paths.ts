/**
 * Paths that options name. Relative ones in a file are meant from the file's folder, those on a command line from
 * where it was typed.
 *
 * @module
 */
import type { Option, OptionTable } from "../options/option.ts";
import type { Address } from "../endpoint/address.ts";

/** Makes a path whole that may be relative. */
export type Resolve = (path: string) => string;

/** The same values, with every path that they name made whole. */
export function resolvePaths(
  values: ReadonlyMap<string, unknown>,
  { table, resolve }: { table: OptionTable; resolve: Resolve },
): Map<string, unknown> {
  return new Map(
    [...values].map(([name, value]) => {
      const option = table[name];
      return [name, option ? resolveValue(value, { option, resolve }) : value];
    }),
  );
}

/** The same address, with the path of a Unix socket made whole. */
export function resolveAddress<T extends Address>(address: T, resolve: Resolve): T {
  return "path" in address ? { ...address, path: resolve(address.path) } : address;
}

/** The same value of an option, with every path in it made whole. */
export function resolveValue(
  value: unknown,
  { option, resolve }: { option: Option; resolve: Resolve },
): unknown {
  if (Array.isArray(value)) {
    // Behind a program come its arguments, which are its own business.
    const paths = option.path === "run" ? 1 : value.length;
    return value.map((item, at) => at < paths ? resolveItem(item, { option, resolve }) : item);
  }
  return resolveItem(value, { option, resolve });
}

function resolveItem(
  item: unknown,
  { option: { path }, resolve }: { option: Option; resolve: Resolve },
): unknown {
  if (typeof item === "object" && item !== null && "path" in item) {
    return resolveAddress(item as Address, resolve);
  }
  if (path === undefined || typeof item !== "string") return item;
  // A program's name without a slash is looked for where programs are.
  return path === "run" && !item.includes("/") ? item : resolve(item);
}
