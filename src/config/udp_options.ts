/**
 * The options of UDP outlets.
 *
 * @module
 */
import { integer, type OptionKind, SIZE } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";
import { LONGEST_DATAGRAM } from "../transport/datagram_carrier.ts";

/** The values of the options that only UDP outlets have. */
export interface UdpConfig {
  /** The longest datagram in bytes; longer ones are dropped. */
  readonly "max-datagram": number;
  /** Datagrams per second from one address; 0 for no limit. */
  readonly "datagram-rate": number | undefined;
  /** Whether answers beyond loopback may be longer than what they answer. */
  readonly amplify: boolean;
}

/** The size of a datagram. */
export const DATAGRAM_SIZE: OptionKind<number> = {
  ...SIZE,
  expects: `a size of 1 to ${LONGEST_DATAGRAM} bytes`,
  bounds: { min: 1, max: LONGEST_DATAGRAM },
  parse(word) {
    const size = SIZE.parse(word);
    return size !== undefined && size >= 1 && size <= LONGEST_DATAGRAM ? size : undefined;
  },
};

/** The options of {@linkcode UdpConfig}. */
export const UDP_OPTIONS: TableOf<UdpConfig> = {
  "max-datagram": option(
    DATAGRAM_SIZE,
    "over UDP: longest datagram to accept; longer ones are dropped and counted",
    { default: 2_048 },
  ),
  "datagram-rate": option(
    integer({ min: 0, max: 1_000_000_000 }),
    "over UDP: limit of datagrams per second, per IPv4 address or IPv6 /64; 0: none",
    { defaultText: "1000, none on loopback" },
  ),
  amplify: flag("over UDP: allow answers beyond loopback that are longer than what they answer"),
};
