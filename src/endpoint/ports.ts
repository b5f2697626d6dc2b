/**
 * Lists of ports: `20-25,80`.
 *
 * @module
 */
import { PORT } from "../options/kinds.ts";
import { quote, UsageError } from "../options/usage_error.ts";

/** What a list of ports looks like, for errors. */
export const PORT_LIST = "a port, 0 to 65535, or a list of them such as 7000-7009,7020";

/** The ports of a list, in its order and as often as they are in it. `most` bounds their number. */
export function readPorts(list: string, { most = Infinity }: { most?: number } = {}): number[] {
  const ranges = list.split(",").map((part) => readRange(part, list));
  const count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (count > most) {
    throw new UsageError(
      `port ${quote(list)}: ${count} ports, and one list has at most ${most}: use several`,
    );
  }
  return ranges.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at)
  );
}

function readRange(part: string, list: string): { first: number; last: number } {
  const [, from = part, to = from] = /^(\d+)-(\d+)$/.exec(part) ?? [];
  const [first, last] = [from, to].map((word) => PORT.parse(word));
  if (first === undefined || last === undefined) {
    const bad = first === undefined ? from : to;
    throw new UsageError(`port ${quote(bad)}: expected ${list === bad ? PORT.expects : PORT_LIST}`);
  }
  if (last < first) throw new UsageError(`port ${quote(part)}: the range runs backwards`);
  return { first, last };
}
