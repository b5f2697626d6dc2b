/**
 * Checks whether the Deno version supports servers without a listener.
 *
 * @module
 */

/** A server of node:http or node:tls. */
export interface NodeServer {
  /** The number of listeners of an event. */
  listenerCount(event: string): number;
}

/**
 * Refuses a Deno version whose servers of node:http and node:tls only handle connections that they
 * accept themselves, such as 2.4: clients would wait forever. A program may have been compiled with
 * one.
 * @throws {Error} that names the required version
 */
export function refuseOldRuntime(server: NodeServer, what: string): void {
  if (server.listenerCount("connection") > 0) return;
  throw new Error(
    `this program's runtime, Deno ${Deno.version.deno}, is too old for ${what}: ` +
      "compile it with Deno 2.9 or newer",
  );
}
