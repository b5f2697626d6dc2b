/**
 * What can be asked about who may come in.
 *
 * @module
 */
import { integer } from "../options/kinds.ts";
import { list, option, type TableOf } from "../options/option.ts";
import { CIDR } from "../admission/acl.ts";

/** Who may come in. Said for an outlet, it holds there; said for the server, for all of it together. */
export interface AdmissionConfig {
  /** Networks that may come in; when there are any, no others may. */
  readonly allow: readonly string[];
  /** Networks that may not, whatever is allowed. */
  readonly deny: readonly string[];
  /** Connections at the same time. */
  readonly "max-connections": number | undefined;
  /** Connections at the same time from one address (of IPv6: one /64). */
  readonly "max-per-ip": number | undefined;
  /** New connections a second from one address. */
  readonly rate: number | undefined;
  /** How many of those may come at once. */
  readonly burst: number | undefined;
}

const COUNT = integer({ min: 1, max: 1_000_000_000 });

/** What can be asked of one outlet, in its SPEC, or of the whole server, in flags. */
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
