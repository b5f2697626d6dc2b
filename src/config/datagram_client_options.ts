/**
 * The UDP options of a client.
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";
import { DATAGRAM_SIZE } from "./udp_options.ts";

/** How stdin is cut into datagrams: a datagram for each line, each read, or so many bytes. */
export type Framing = "line" | "read" | number;

/** The values of a client's UDP options. */
export interface DatagramClientConfig {
  /** Whether to use UDP; also set by `udp://`. */
  readonly udp: boolean;
  /** How stdin is cut into datagrams. */
  readonly datagram: Framing;
}

const FRAMING: OptionKind<Framing> = {
  expects: `line, read, or ${DATAGRAM_SIZE.expects}`,
  placeholder: "line|read|SIZE",
  parse: (word) => word === "line" || word === "read" ? word : DATAGRAM_SIZE.parse(word),
};

/** The options of {@linkcode DatagramClientConfig}. */
export const DATAGRAM_CLIENT_OPTIONS: TableOf<DatagramClientConfig> = {
  udp: flag("use UDP, as udp://HOST:PORT does", { short: "u" }),
  datagram: option(
    FRAMING,
    "over UDP: send a datagram for each line, read or SIZE bytes of stdin",
    {
      needs: ["udp"],
      default: "read",
    },
  ),
};
