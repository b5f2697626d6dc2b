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
  count: option(COUNT, "number of connects per port; more than 1 shows statistics", {
    needs: ["probe"],
    default: 1,
  }),
  interval: option(DURATION, "time between two connects", {
    needs: ["probe"],
    default: 1_000,
    defaultText: "1s",
  }),
  timeout: option(DURATION, "time limit per connect; then the port is silent", {
    needs: ["probe"],
    defaultText: "as connect-timeout",
  }),
};

/** What can be asked of a load, beside `--bench`. */
export const LOAD_OPTIONS: TableOf<LoadConfig> = {
  connections: option(
    integer({ min: 1, max: 100_000 }),
    "number of concurrent connections",
    { needs: ["bench"], default: 10 },
  ),
  size: option(SIZE, "size of each message", {
    needs: ["bench"],
    defaultText: "64, or 64k with mode stream",
  }),
  duration: option(DURATION, "length of the test; 0: until Ctrl-C", {
    needs: ["bench"],
    default: 10_000,
    defaultText: "10s",
  }),
  mode: option(
    choice(["round-trip", "stream", "connect"]),
    "what each connection repeats: send and wait for the echo; send and read at full " +
      "speed; or connect and close",
    { needs: ["bench"], default: "round-trip" },
  ),
};
