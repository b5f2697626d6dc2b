/**
 * Clients that come through a proxy, which announces who they are.
 *
 * @module
 */
import { Acl } from "./acl.ts";
import { type Address, isUnix } from "../endpoint/address.ts";
import { readIp } from "../endpoint/ip.ts";

/** Who trusts nobody in particular trusts this machine. */
const THIS_MACHINE = ["127.0.0.0/8", "::1"];

/** The proxies that may say whom they speak for. Whoever else comes is turned away. */
export class TrustedProxies {
  readonly #trusted: Acl;

  /** Trusts these addresses and networks; where none is named, this machine alone. */
  constructor(networks: readonly string[]) {
    this.#trusted = new Acl({ allow: networks.length > 0 ? networks : THIS_MACHINE });
  }

  /** Whether this sender may say whom it speaks for; whoever reaches a Unix socket may. */
  trusts(sender: Address): boolean {
    return isUnix(sender) || this.#trusted.refusal(readIp(sender.hostname)) === undefined;
  }
}
