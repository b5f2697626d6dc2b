/**
 * What can be asked of a client that measures: of a probe, and of a load.
 *
 * @module
 */
import { choice, DURATION, integer, SIZE } from "../options/kinds.ts";
import { option, type TableOf } from "../options/option.ts";

/** How a probe goes about it. Times are in milliseconds. */
export interface ProbeConfig {
  /** How often each port is connected to. */
  readonly count: number;
  /** From one connect to the next. */
  readonly interval: number;
  /** When a probe is given up; as `connect-timeout`, where it is not said. */
  readonly timeout: number | undefined;
}

/** How a load goes about it. */
export interface LoadConfig {
  /** Connections at the same time. */
  readonly connections: number;
  /** Bytes of each message. */
  readonly size: number | undefined;
  /** How long it lasts, in milliseconds; until it is interrupted, where it is 0. */
  readonly duration: number;
  /** What each connection does, over and over. */
  readonly mode: "round-trip" | "stream" | "connect";
}

const COUNT = integer({ min: 1, max: 1_000_000_000 });

/** What can be asked of a probe, beside `-z`. */
export const PROBE_OPTIONS: TableOf<ProbeConfig> = {
  count: option(COUNT, "connect so many times, and tell what is usual", {
    needs: ["probe"],
    default: 1,
  }),
  interval: option(DURATION, "from one connect to the next", {
    needs: ["probe"],
    default: 1_000,
    defaultText: "1s",
  }),
  timeout: option(DURATION, "call a port silent after this long", {
    needs: ["probe"],
    defaultText: "as connect-timeout",
  }),
};

/** What can be asked of a load, beside `--bench`. */
export const LOAD_OPTIONS: TableOf<LoadConfig> = {
  connections: option(
    integer({ min: 1, max: 100_000 }),
    "connections at the same time",
    { needs: ["bench"], default: 10 },
  ),
  size: option(SIZE, "bytes of each message", {
    needs: ["bench"],
    defaultText: "64, or 64k for a stream",
  }),
  duration: option(DURATION, "how long it lasts", {
    needs: ["bench"],
    default: 10_000,
    defaultText: "10s",
  }),
  mode: option(
    choice(["round-trip", "stream", "connect"]),
    "what each connection does over and over: send and await the echo; send and " +
      "read as fast as it goes; or connect and leave",
    { needs: ["bench"], default: "round-trip" },
  ),
};
