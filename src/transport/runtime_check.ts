/**
 * Whether this runtime can serve what is accepted here.
 *
 * @module
 */

/** A server of node:http or node:tls. */
export interface NodeServer {
  /** How many listeners an event has: those of connections are the runtime's own. */
  listenerCount(event: string): number;
}

/**
 * Refuses a runtime whose servers of node:http and node:tls take only connections that they accept themselves: any
 * other client would wait forever. Such is Deno 2.4, with which a program may have been compiled.
 *
 * @throws {Error} that says what is needed
 */
export function refuseOldRuntime(server: NodeServer, what: string): void {
  if (server.listenerCount("connection") > 0) return;
  throw new Error(
    `this program's runtime, Deno ${Deno.version.deno}, is too old for ${what}: ` +
      "compile it with Deno 2.9 or newer",
  );
}
