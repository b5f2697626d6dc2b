/**
 * The client's address behind an HTTP proxy.
 *
 * @module
 */
import type { Address } from "../../endpoint/address.ts";
import { canonicalHost, isIP } from "../../endpoint/address.ts";
import type { HttpHead } from "../http_head.ts";

/** Which senders' fields are believed. */
export interface Trust {
  /** Whether fields from this address are believed. */
  trusts(sender: Address): boolean;
}

/**
 * The address in `X-Forwarded-For` that the last trusted proxy has seen. A proxy adds its client at the
 * end, so addresses are believed from there as long as they are trusted proxies themselves. The port
 * is not known: it is 0. `undefined` if the sender is not trusted or the field names no address.
 */
export function forwardedFor(
  head: HttpHead,
  { sender, trust }: { sender: Address; trust: Trust },
): Address | undefined {
  if (!trust.trusts(sender)) return undefined;
  let found: Address | undefined;
  for (const word of head.list("x-forwarded-for").reverse()) {
    const hostname = hostIn(word);
    if (hostname === undefined) return found;
    found = { hostname, port: 0 };
    if (!trust.trusts(found)) return found;
  }
  return found;
}

/** The address in a word, which may have brackets or a port. */
function hostIn(word: string): string | undefined {
  const [, bracketed, plain = word] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(word) ?? [];
  const host = canonicalHost(bracketed ?? plain);
  return isIP(host) ? host : undefined;
}
