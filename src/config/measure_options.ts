/**
 * What can be asked of a client that measures: of a probe, and of a load.
 *
 * @module
 */
import { choice, DURATION, integer, option, SIZE, type TableOf } from "../options/option.ts";

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
  count: option(COUNT, "with -z: connect so many times, and tell what is usual", { default: 1 }),
  interval: option(DURATION, "with -z: from one connect to the next", {
    default: 1_000,
    defaultText: "1s",
  }),
  timeout: option(DURATION, "with -z: call a port silent after this long", {
    defaultText: "as --connect-timeout",
  }),
};

/** What can be asked of a load, beside `--bench`. */
export const LOAD_OPTIONS: TableOf<LoadConfig> = {
  connections: option(
    integer({ min: 1, max: 100_000 }),
    "with --bench: connections at the same time",
    { default: 10 },
  ),
  size: option(SIZE, "with --bench: bytes of each message", {
    defaultText: "64, or 64k for a stream",
  }),
  duration: option(DURATION, "with --bench: how long it lasts", {
    default: 10_000,
    defaultText: "10s",
  }),
  mode: option(
    choice(["round-trip", "stream", "connect"]),
    "with --bench: what each connection does over and over: send and await the echo; send and " +
      "read as fast as it goes; or connect and leave",
    { default: "round-trip" },
  ),
};
