/**
 * IP addresses as four 32-bit words.
 *
 * @module
 */
/**
 * An IP address as four 32-bit words in network order; IPv4 is mapped to IPv6 (RFC 4291, 2.5.5.2).
 */
export type IpAddress = ArrayLike<number>;

/** Formats an address as in RFC 5952, or in dotted decimal if it is IPv4-mapped. */
export function addressText(words: IpAddress, at = 0): string {
  if (isIpv4Mapped(words, at)) {
    const word = words[at + 3] ?? 0;
    return `${word >>> 24}.${word >>> 16 & 255}.${word >>> 8 & 255}.${word & 255}`;
  }
  const groups: number[] = [];
  for (let word = at; word < at + 4; word += 1) {
    groups.push((words[word] ?? 0) >>> 16, (words[word] ?? 0) & 0xffff);
  }
  return compressZeros(groups);
}

/** Formats address and port as in a URL. */
export function endpointText(words: IpAddress, port: number): string {
  const address = addressText(words);
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether an address is IPv4-mapped (RFC 4291, 2.5.5.2). */
export function isIpv4Mapped(words: IpAddress, at = 0): boolean {
  return words[at + 2] === 0xffff && words[at] === 0 && words[at + 1] === 0;
}

/** Replaces the longest run of two or more zero groups by "::" (RFC 5952, 4.2). */
function compressZeros(groups: readonly number[]): string {
  let bestStart = 0;
  let bestLength = 1;
  let runStart = 0;
  for (let at = 0; at <= groups.length; at += 1) {
    if (groups[at] === 0) continue;
    if (at - runStart > bestLength) {
      bestStart = runStart;
      bestLength = at - runStart;
    }
    runStart = at + 1;
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestLength < 2) return hex.join(":");
  return `${hex.slice(0, bestStart).join(":")}::${hex.slice(bestStart + bestLength).join(":")}`;
}

/** Parses an IPv4 or IPv6 literal; `undefined` if the text is neither. */
export function parseAddress(text: string): IpAddress | undefined {
  const groups = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  if (groups === undefined) return undefined;
  return [0, 2, 4, 6].map((at) => ((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0));
}

function parseIpv4(text: string): number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1).map(Number);
  if (Math.max(a, b, c, d) > 255) return undefined;
  return [0, 0, 0, 0, 0, 0xffff, a << 8 | b, c << 8 | d];
}

function parseIpv6(text: string): number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = parseGroups(head);
  const after = tail === undefined ? [] : parseGroups(tail);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  for (const [index, part] of text.split(":").entries()) {
    const isLast = index === text.split(":").length - 1;
    const dotted = isLast ? parseIpv4(part) : undefined;
    if (dotted !== undefined) groups.push(...dotted.slice(6));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
