/**
 * Name look-up by the system's resolver (`getaddrinfo(3)`): `/etc/hosts`, DNS, and what else
 * `nsswitch.conf` configures.
 *
 * @module
 */

/**
 * The addresses of a name, sorted by RFC 6724 and `/etc/gai.conf`. It occupies a blocking thread
 * until the system answers, and cannot be cancelled.
 * @throws {Error} with the system's `code`
 */
export async function getaddrinfo(name: string): Promise<string[]> {
  // Imported on first use: it takes about 10 ms.
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(name, { all: true, order: "verbatim" });
  if (found.length === 0) throw Object.assign(new Error("no addresses"), { code: "ENODATA" });
  return [...new Set(found.map(({ address }) => address))];
}
