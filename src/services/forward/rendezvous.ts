/**
 * Rendezvous hashing (highest random weight, Thaler and Ravishankar 1998): a key ranks the upstreams
 * in an order of its own. If one is added or removed, only the keys that it ranks first for move.
 *
 * @module
 */

/** The upstreams in the order of their weights for this key. */
export function rankedFor<T extends { readonly name: string }>(
  key: string,
  upstreams: readonly T[],
): T[] {
  const weighed = upstreams.map((upstream) => ({
    upstream,
    weight: weightOf(`${key} ${upstream.name}`),
  }));
  return weighed.sort((a, b) => b.weight - a.weight).map(({ upstream }) => upstream);
}

/** The 32-bit hash FNV-1a, with the last steps of MurmurHash3, without which similar texts rank alike. */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
