/**
 * What happens at the end of the input that is sent to a connection.
 *
 * @module
 */
import { choice, DURATION } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";

/** The values of options about the end of stdin. */
export interface EofConfig {
  /** What to do at the end of stdin: close our half, close the connection, or nothing. */
  readonly eof: "half-close" | "close" | "wait";
  /** Whether to send stdin, then close, and discard what is received. */
  readonly "send-only": boolean;
  /** Whether stdin is not read. */
  readonly "recv-only": boolean;
  /** How long after the end of stdin to close, in milliseconds; by default not because of that. */
  readonly "quit-delay": number | undefined;
}

/** The options of {@linkcode EofConfig}. */
export const EOF_OPTIONS: TableOf<EofConfig> = {
  eof: option(
    choice(["half-close", "close", "wait"]),
    "at the end of stdin: half-close and read on, close, or keep both directions open",
    { default: "half-close" },
  ),
  "send-only": flag("send stdin, then exit; ignore received data", {
    excludes: ["recv-only"],
  }),
  "recv-only": flag("only receive; do not read stdin"),
  "quit-delay": option(DURATION, "exit this long after the end of stdin", {
    short: "q",
  }),
};

/** What to send and receive, and what happens at the end of the input. */
export interface EofPolicy {
  /** The only direction, if not both. */
  readonly only?: "send" | "receive" | undefined;
  /** Whether a FIN is sent at the end of the input. */
  readonly halfClose: boolean;
  /**
   * How long the peer may take to send its FIN after the end of the input, in milliseconds; by
   * default without limit.
   */
  readonly closeTimeout?: number | undefined;
  /** Whether the input is sent to its end after the peer's FIN, also when it pauses. */
  readonly keepSending?: boolean | undefined;
}

/** How long the peer may take to close after we have, in milliseconds. */
const CLOSE_TIMEOUT = 500;

/** What the options ask for. */
export function eofPolicyOf(
  { "send-only": sendOnly, "recv-only": receiveOnly, "quit-delay": delay, eof }: EofConfig,
): EofPolicy {
  const closesFirst = sendOnly || eof === "close";
  return {
    only: sendOnly ? "send" : receiveOnly ? "receive" : undefined,
    halfClose: closesFirst || eof === "half-close",
    closeTimeout: delay ?? (closesFirst ? CLOSE_TIMEOUT : undefined),
  };
}
