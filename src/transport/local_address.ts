/**
 * Whether an address is one of this machine.
 *
 * @module
 */
import { codeOf, explain } from "./errors.ts";
import { listen } from "./listen.ts";
import { NOT_HERE } from "./source_error.ts";

/**
 * Whether connections can come from an address of this machine.
 * @returns why not; `undefined` if they can
 */
export function addressFault(hostname: string): string | undefined {
  try {
    listen({ address: { hostname, port: 0 } }, { backlog: 1 }).close();
  } catch (error) {
    const { cause } = error as Error;
    // All ephemeral ports are in use, but the address is local.
    if (codeOf(cause) === "EADDRINUSE") return undefined;
    const isMissing = codeOf(cause) === "EADDRNOTAVAIL" || codeOf(cause) === "EINVAL";
    return isMissing ? NOT_HERE : explain(cause);
  }
}
