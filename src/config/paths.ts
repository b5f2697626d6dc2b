/**
 * Makes paths in a config absolute. Relative paths start from the config file's directory, or for flags from the working
 * directory.
 *
 * @module
 */
import type { Option, OptionTable } from "../options/option.ts";
import { type Address, isAbstract, isUnix } from "../endpoint/address.ts";

/** Makes a path absolute. */
export type Resolve = (path: string) => string;

/** The values with all paths in them made absolute. */
export function absolutePaths(
  values: ReadonlyMap<string, unknown>,
  { table, resolve }: { table: OptionTable; resolve: Resolve },
): Map<string, unknown> {
  return new Map(
    [...values].map(([name, value]) => {
      const option = table[name];
      return [name, option ? absoluteValue(value, { option, resolve }) : value];
    }),
  );
}

/** The address, with the path of a Unix socket made absolute. */
export function absoluteAddress<T extends Address>(address: T, resolve: Resolve): T {
  if (!isUnix(address) || isAbstract(address.path)) return address;
  return { ...address, path: resolve(address.path) };
}

/** An option's value with all paths in it made absolute. */
export function absoluteValue(
  value: unknown,
  { option, resolve }: { option: Option; resolve: Resolve },
): unknown {
  if (Array.isArray(value)) {
    // The first item is the program; its arguments are left alone.
    const paths = option.path === "run" ? 1 : value.length;
    return value.map((item, at) => at < paths ? absoluteItem(item, { option, resolve }) : item);
  }
  return absoluteItem(value, { option, resolve });
}

function absoluteItem(
  item: unknown,
  { option: { path }, resolve }: { option: Option; resolve: Resolve },
): unknown {
  if (typeof item === "object" && item !== null) {
    if ("address" in item) {
      return { ...item, address: absoluteAddress(item.address as Address, resolve) };
    }
    if ("path" in item) return absoluteAddress(item as Address, resolve);
  }
  if (path === undefined || typeof item !== "string") return item;
  if (path === "append-or-stdout" && item === "-") return item;
  // A program's name without a slash is looked up in PATH.
  return path === "run" && !item.includes("/") ? item : resolve(item);
}
