/**
 * The options of TCP keep-alive, of outlets, clients and upstreams.
 *
 * @module
 */
import { DURATION, integer, type OptionKind } from "../options/kinds.ts";
import { option, type TableOf } from "../options/option.ts";

/** When keep-alive probes are sent; what is absent is the system's. Times are in milliseconds. */
export interface KeepAliveTimes {
  /** How long a connection is idle before the first probe. */
  readonly "keep-alive-idle": number | undefined;
  /** The time between probes. */
  readonly "keep-alive-interval": number | undefined;
  /** How many probes without an answer end the connection. */
  readonly "keep-alive-count": number | undefined;
}

/** Why there is no keep-alive over UDP. */
export const NOTHING_TO_PROBE = "there is no connection to probe";

/** The longest time of Linux, in seconds. */
const MAX_SECONDS = 32_767;

/** A time that the kernel counts in seconds. */
const SECONDS: OptionKind<number> = {
  ...DURATION,
  expects: `whole seconds, 1s to ${MAX_SECONDS}s`,
  parse(word) {
    const time = DURATION.parse(word);
    const isWhole = time !== undefined && time % 1_000 === 0 && time >= 1_000;
    return isWhole && time <= MAX_SECONDS * 1_000 ? time : undefined;
  },
};

/** The options of a table that has no other option to turn keep-alive off. */
export const KEEP_ALIVE_OPTIONS: TableOf<KeepAliveTimes> = keepAliveOptions({});

/** The options of {@linkcode KeepAliveTimes}. */
export function keepAliveOptions(
  details: { readonly needs?: readonly string[] },
): TableOf<KeepAliveTimes> {
  return {
    "keep-alive-idle": option(SECONDS, "send keep-alive probes after this long without data", {
      ...details,
      defaultText: "the system's",
    }),
    "keep-alive-interval": option(SECONDS, "time between keep-alive probes", {
      ...details,
      defaultText: "the system's",
    }),
    "keep-alive-count": option(
      integer({ min: 1, max: 127 }),
      "keep-alive probes without an answer that end a connection",
      { ...details, defaultText: "the system's" },
    ),
  };
}

/** The times alone; `undefined` if none is given. */
export function keepAliveTimes(options: KeepAliveTimes): KeepAliveTimes | undefined {
  if (givenTime(options) === undefined) return undefined;
  return {
    "keep-alive-idle": options["keep-alive-idle"],
    "keep-alive-interval": options["keep-alive-interval"],
    "keep-alive-count": options["keep-alive-count"],
  };
}

/** The name of the first option that is given, for errors. */
export function givenTime(options: KeepAliveTimes): keyof KeepAliveTimes | undefined {
  const names = Object.keys(KEEP_ALIVE_OPTIONS) as (keyof KeepAliveTimes)[];
  return names.find((name) => options[name] !== undefined);
}
