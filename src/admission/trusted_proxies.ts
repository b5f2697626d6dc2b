/**
 * Clients behind proxies that send PROXY protocol headers.
 *
 * @module
 */
import { Acl } from "../endpoint/acl.ts";
import { type Address, isUnix } from "../endpoint/address.ts";
import { readIp } from "../endpoint/ip.ts";

/** The networks that are trusted by default. */
const LOOPBACK = ["127.0.0.0/8", "::1"];

/** The proxies whose headers are believed. Connections from anywhere else are refused. */
export class TrustedProxies {
  readonly #trusted: Acl;

  /** Trusts these addresses and networks; if there are none, loopback. */
  constructor(networks: readonly string[]) {
    this.#trusted = new Acl({ allow: networks.length > 0 ? networks : LOOPBACK });
  }

  /** Whether headers from this address are believed; on a Unix socket always. */
  trusts(sender: Address): boolean {
    return isUnix(sender) || this.#trusted.refusal(readIp(sender.hostname)) === undefined;
  }
}
