/**
 * Options that limit who may connect, and how many.
 *
 * @module
 */
import { integer } from "../options/kinds.ts";
import { list, option, type TableOf } from "../options/option.ts";
import { CIDR } from "../endpoint/acl.ts";

/** Limits on clients. Those of an outlet apply to it alone, those of the server to all outlets together. */
export interface AdmissionConfig {
  /** Networks that may connect; if empty, all may. */
  readonly allow: readonly string[];
  /** Networks that may not connect, even if allowed. */
  readonly deny: readonly string[];
  /** The most concurrent connections. */
  readonly "max-connections": number | undefined;
  /** The most concurrent connections from one IPv4 address or one IPv6 /64. */
  readonly "max-per-ip": number | undefined;
  /** New connections per second from one address or /64: the rate of a token bucket. */
  readonly rate: number | undefined;
  /** How many may arrive at once: the size of the token bucket. */
  readonly burst: number | undefined;
}

const COUNT = integer({ min: 1, max: 1_000_000_000 });

/** The options of {@linkcode AdmissionConfig}: in a SPEC for one outlet, as flags for the whole server. */
export const ADMISSION_OPTIONS: TableOf<AdmissionConfig> = {
  allow: list(CIDR, "accept only clients from these addresses or networks"),
  deny: list(CIDR, "refuse clients from these addresses or networks, even if allowed"),
  "max-connections": option(COUNT, "limit of concurrent connections", {
    defaultText: "what the descriptor limit allows",
  }),
  "max-per-ip": option(COUNT, "limit of concurrent connections per IPv4 address or IPv6 /64"),
  rate: option(COUNT, "limit of new connections per second, per IPv4 address or IPv6 /64"),
  burst: option(COUNT, "size of a burst above that rate", {
    defaultText: "as rate",
    needs: ["rate"],
  }),
};
