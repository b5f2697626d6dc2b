/**
 * The options of probes and load tests.
 *
 * @module
 */
import { choice, DURATION, integer, SIZE, times } from "../options/kinds.ts";
import { option, type TableOf } from "../options/option.ts";

/** The values of a probe's options. Times are in milliseconds. */
export interface ProbeConfig {
  /** How often to connect to each port; may be `Infinity`. */
  readonly count: number;
  /** The time from one connect to the next. */
  readonly interval: number;
  /** How long one connect may take; as `connect-timeout` by default. */
  readonly timeout: number | undefined;
}

/** The values of a load test's options. */
export interface LoadConfig {
  /** Concurrent connections. */
  readonly connections: number;
  /** Bytes per message. */
  readonly size: number | undefined;
  /** How long to run, in milliseconds; 0: until interrupted. */
  readonly duration: number;
  /** What each connection repeats. */
  readonly mode: "round-trip" | "stream" | "connect";
}

/** The options of {@linkcode ProbeConfig}, which need `-z`. */
export const PROBE_OPTIONS: TableOf<ProbeConfig> = {
  count: option(times({ min: 1 }), "number of connects per port; forever prints each", {
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

/** The options of {@linkcode LoadConfig}, which need `--bench`. */
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
