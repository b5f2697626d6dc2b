/**
 * What of `forward` there is over UDP.
 *
 * @module
 */
import { isUnix } from "../../endpoint/address.ts";
import { TLS_OVER_UDP } from "../../endpoint/transport.ts";
import { UsageError } from "../../options/usage_error.ts";
import { NOTHING_TO_PROBE } from "../../transport/keep_alive_options.ts";
import type { DatagramHalf } from "../service.ts";
import { openDatagrams } from "./datagrams.ts";
import {
  type FORWARD_OPTIONS,
  type ForwardOptions,
  KEEP_ALIVE_NAMES,
  TLS_NAMES,
} from "./options.ts";

const NO_CONNECTION = "a datagram socket connects to nothing";

const NO_ROUTES = "clients are told apart by the first bytes of a stream";

/** Forwards datagrams to UDP upstreams. */
export const DATAGRAM_HALF: DatagramHalf<typeof FORWARD_OPTIONS> = {
  answers: "relayed",
  unused: {
    sni: NO_ROUTES,
    "sni-default": NO_ROUTES,
    route: NO_ROUTES,
    "inspect-timeout": NO_ROUTES,
    check: NO_CONNECTION,
    "connect-timeout": NO_CONNECTION,
    ...reasonFor(KEEP_ALIVE_NAMES, NOTHING_TO_PROBE),
    ...reasonFor(TLS_NAMES, TLS_OVER_UDP),
  },
  check: checkDatagrams,
  open: openDatagrams,
};

function checkDatagrams({ to, "send-proxy": version }: ForwardOptions): void {
  if (to.length === 0) {
    throw new UsageError("datagrams are forwarded without sni and route: give to, a HOST:PORT", {
      option: "to",
    });
  }
  if (to.some(({ address, tls, ws }) => isUnix(address) || tls || ws !== undefined)) {
    throw new UsageError("datagrams are forwarded to UDP only: give a HOST:PORT", {
      option: "to",
    });
  }
  if (version !== "v1") return;
  throw new UsageError("send-proxy=v1 is a line of TCP: use v2 for datagrams", {
    option: "send-proxy",
  });
}

function reasonFor(names: readonly string[], why: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, why]));
}
