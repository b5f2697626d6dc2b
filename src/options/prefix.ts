/**
 * The options of a table under longer names, for a mode or service that has them for something of
 * its own beside others: the TLS options of a client as those of `forward` to its upstreams.
 *
 * @module
 */
import type { Option, OptionTable } from "./option.ts";

/** The same table with a prefix before each name. */
export type Prefixed<Prefix extends string, Table> = {
  readonly [Name in keyof Table & string as `${Prefix}${Name}`]: Table[Name];
};

/**
 * Renames the options of a table. What they need or exclude of the table is renamed, too; what is not
 * in the table is dropped. `about` is put before each summary.
 */
export function prefixOptions<const Prefix extends string, const Table extends OptionTable>(
  table: Table,
  { prefix, about }: { prefix: Prefix; about: string },
): Prefixed<Prefix, Table> {
  const names = Object.keys(table);
  const renamed = (key: "needs" | "excludes", others: readonly string[] = []) => {
    const kept = others.filter((name) => names.includes(name)).map((name) => prefix + name);
    return kept.length > 0 ? { [key]: kept } : {};
  };
  const inText = new RegExp(`\\b(${names.join("|")})\\b(?= )`, "g");
  return Object.fromEntries(
    Object.entries(table).map(([name, { needs, excludes, ...option }]: [string, Option]) => [
      prefix + name,
      {
        ...option,
        summary: `${about}: ${option.summary.replace(inText, `${prefix}$1`)}`,
        ...renamed("needs", needs),
        ...renamed("excludes", excludes),
      },
    ]),
  ) as unknown as Prefixed<Prefix, Table>;
}

/** The values of the options with this prefix, without it. */
export function withoutPrefix<Values>(values: object, prefix: string): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  ) as Values;
}
