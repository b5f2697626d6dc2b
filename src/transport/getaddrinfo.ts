/**
 * The system's own look-up of names: `/etc/hosts`, name servers, and whatever else `nsswitch.conf` names.
 *
 * @module
 */

/**
 * The addresses of a name in the order in which to try them (RFC 6724, as `/etc/gai.conf` has it). It holds one of
 * this thread's blocking threads until the system answers, and nothing can call it back.
 *
 * @throws {Error} whose `code` is the system's
 */
export async function getaddrinfo(name: string): Promise<string[]> {
  // Loaded for those who have a name to look up: it costs a start some 10 ms.
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(name, { all: true, order: "verbatim" });
  if (found.length === 0) throw Object.assign(new Error("no addresses"), { code: "ENODATA" });
  return [...new Set(found.map(({ address }) => address))];
}
