/**
 * What a client is asked to be.
 *
 * @module
 */
import { choice, DURATION, flag, option, type TableOf } from "../options/option.ts";
import type { Address } from "../socket/address.ts";

/** How a client goes about it. Times are in milliseconds. */
export interface ClientOptions {
  /** When to give up connecting. */
  readonly "connect-timeout": number;
  /** When to give up because nothing came or went; never, where it is not said. */
  readonly "idle-timeout": number | undefined;
  /** What the end of the input does: end our half, end both, or nothing. */
  readonly eof: "half-close" | "close" | "wait";
  /** Whether a lone LF of the input is sent as CRLF. */
  readonly crlf: boolean;
  /** Whether to leave once the input is sent, and to show nothing. */
  readonly "send-only": boolean;
  /** Whether the input is never read. */
  readonly "recv-only": boolean;
  /** Whether to leave as soon as the connection stands. */
  readonly probe: boolean;
  /** Whether what arrives may steer the terminal. */
  readonly raw: boolean;
  /** Whether to tell what happens. */
  readonly verbose: boolean;
}

/** What can be asked of a client. */
export const CLIENT_OPTIONS: TableOf<ClientOptions> = {
  "connect-timeout": option(DURATION, "give up connecting after this long", {
    short: "w",
    default: 10_000,
    defaultText: "10s",
  }),
  "idle-timeout": option(DURATION, "give up when nothing came or went for this long", {
    short: "i",
  }),
  eof: option(
    choice(["half-close", "close", "wait"]),
    "at the end of stdin: end our half and read on, end both, or keep both open",
    { default: "half-close" },
  ),
  crlf: flag("send CRLF where a line of stdin ends in LF alone", { short: "C" }),
  "send-only": flag("send stdin, then leave; show nothing that arrives"),
  "recv-only": flag("show what arrives; never read stdin"),
  probe: flag("connect, say so, and leave", { short: "z" }),
  raw: flag("show what arrives as it is, also on a terminal, where escapes are shown as ␛"),
  verbose: flag("tell on stderr what happens and how long it takes", { short: "v" }),
};

/** A whole client: plain data. */
export interface ClientConfig {
  /** What to connect to. */
  readonly target: Address;
  /** The values of the options. */
  readonly options: ClientOptions;
}
