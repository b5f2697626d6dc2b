/**
 * IP datagrams that came in fragments, put together as far as their headers and lengths go.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";
import type { UndecodedKind } from "./undecoded.ts";

/** So many datagrams are put together at a time; the oldest leaves first. */
const MOST_DATAGRAMS = 1024;
/** So much of each is kept: every header of a few tunnels; what comes behind is counted only. */
const KEPT = 512;
/** So many gaps between fragments are held open. */
const MOST_RANGES = 64;
/** RFC 8200, section 4.5: the rest is waited for so long, in seconds. */
const PATIENCE = 60;
const LONGEST_DATAGRAM = 65_535;

/** What a fragment's header says. */
export interface Fragment {
  /** Where in the datagram's payload it begins. */
  readonly offset: number;
  /** Whether another one lies behind it. */
  readonly hasMore: boolean;
  /** What the fragments of a datagram have in common. */
  readonly identification: number;
}

/** What a first fragment, read by itself, turned out to be. */
export type FirstResult =
  | { readonly what: "segment"; readonly seq: number; readonly length: number }
  | { readonly what: "other"; readonly kind: UndecodedKind; readonly number: number }
  | { readonly what: "read" };

interface Assembly {
  readonly key: string;
  readonly startedAt: number;
  /** How many IP headers stand before the payload. */
  readonly depth: number;
  /** The first bytes of the payload. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** What has come of the payload, as pairs of start and end, sorted and apart from each other. */
  readonly ranges: number[];
  /** What was captured of {@linkcode head}, likewise. */
  readonly captured: number[];
  /** How long the payload is, once its last fragment has come. */
  length: number | undefined;
  /** The protocol that the first fragment names. */
  protocol: number;
  /** What the first fragment was by itself, once it has come and could be read. */
  first: FirstResult | undefined;
  /** Fragments that are part of nothing yet. */
  pending: number;
  isDone: boolean;
}

/** Puts fragments together, in bounded memory. */
export class FragmentTable {
  readonly #assemblies = new Map<string, Assembly>();
  readonly #onOther: (packets: number, what: { kind: UndecodedKind; number: number }) => void;
  #current: Assembly | undefined;

  /** Tells of fragments that are part of no segment. */
  constructor(onOther: (packets: number, what: { kind: UndecodedKind; number: number }) => void) {
    this.#onOther = onOther;
  }

  /** How many datagrams are being put together. */
  get size(): number {
    return this.#assemblies.size;
  }

  /**
   * Takes in a fragment whose payload begins at `c.at`. Where it makes its datagram whole, the
   * dissection goes on in the whole of it; where it is the first one, in what there is of it.
   */
  add(c: Dissection, fragment: Fragment): Layer {
    const { offset } = fragment;
    // An error quotes the header of what it is about, in fragments or not.
    if (c.isQuoted) return offset === 0 ? "IP protocol" : c.undecoded("ICMP error");
    const end = offset + c.wireEnd - c.at;
    if (end > LONGEST_DATAGRAM || end <= offset) return c.undecoded("malformed");
    if (c.fragment !== "none") this.note({ what: "read" });
    const assembly = this.#assemblyOf(c, fragment);
    this.#current = assembly;
    if (assembly.isDone || !addRange(assembly.ranges, offset, end)) {
      return offset === 0 && !assembly.isDone ? readFirst(c) : this.#keep(assembly);
    }
    keepHead(assembly, c, offset);
    if (!fragment.hasMore) assembly.length = end;
    if (offset === 0) assembly.protocol = c.next;
    if (isWhole(assembly)) return this.#finish(c, assembly);
    return offset === 0 ? readFirst(c) : this.#keep(assembly);
  }

  /** Whether the segment of this dissection is that of the datagram which came in fragments. */
  isOwnSegment(c: Dissection): boolean {
    return c.datagrams === this.#current?.depth;
  }

  /**
   * Notes what the fragments turned out to be that have come; `undefined` where a first one says too
   * little by itself.
   */
  note(result: FirstResult | undefined): void {
    const assembly = this.#current;
    if (assembly === undefined) return;
    assembly.first = result;
    if (result === undefined) assembly.pending += 1;
    else this.#settle(assembly, result);
  }

  /** How much of the segment whose rest has come was told of with its first fragment. */
  get told(): { seq: number; length: number } {
    const first = this.#current?.first;
    return first?.what === "segment" ? first : { seq: 0, length: 0 };
  }

  /** Gives up on all that is not whole. */
  finish(): void {
    for (const assembly of this.#assemblies.values()) this.#leave(assembly);
    this.#assemblies.clear();
  }

  #assemblyOf(c: Dissection, { offset, identification }: Fragment): Assembly {
    const protocol = c.isVersion6 ? 0 : c.next;
    const key = `${c.addresses.join()} ${identification} ${protocol} ${c.through.key}`;
    const known = this.#assemblies.get(key);
    const isOver = known !== undefined &&
      (Math.abs(c.seconds - known.startedAt) > PATIENCE || (known.isDone && offset === 0));
    if (known !== undefined && !isOver) return known;
    if (known !== undefined) this.#leave(known);
    if (this.#assemblies.size >= MOST_DATAGRAMS) {
      const [oldest] = this.#assemblies.values();
      if (oldest !== undefined) this.#leave(oldest);
    }
    const assembly: Assembly = {
      key,
      startedAt: c.seconds,
      depth: c.datagrams,
      head: new Uint8Array(KEPT),
      ranges: [],
      captured: [],
      length: undefined,
      protocol,
      first: undefined,
      pending: 0,
      isDone: false,
    };
    this.#assemblies.set(key, assembly);
    return assembly;
  }

  #keep(assembly: Assembly): Layer {
    assembly.pending += 1;
    if (assembly.first !== undefined) this.#settle(assembly, assembly.first);
    return "kept";
  }

  #finish(c: Dissection, assembly: Assembly): Layer {
    assembly.isDone = true;
    const { first, captured, length = 0 } = assembly;
    if (first !== undefined && first.what !== "segment") return this.#keep(assembly);
    c.view = new DataView(assembly.head.buffer);
    c.at = 0;
    c.end = captured[0] === 0 ? Math.min(captured[1] ?? 0, length) : 0;
    c.wireEnd = length;
    c.next = assembly.protocol;
    c.fragment = "whole";
    return first === undefined ? "IP protocol" : "rest of tcp";
  }

  /** What has come belongs to what the first fragment was. */
  #settle(assembly: Assembly, result: FirstResult): void {
    if (result.what === "other" && assembly.pending > 0) this.#onOther(assembly.pending, result);
    assembly.pending = 0;
  }

  #leave(assembly: Assembly): void {
    this.#assemblies.delete(assembly.key);
    if (assembly.pending > 0) this.#onOther(assembly.pending, { kind: "fragment", number: 0 });
  }
}

/** A first fragment is read by itself, also where it is a copy of one: the tracker knows copies. */
function readFirst(c: Dissection): Layer {
  c.fragment = "first";
  return "IP protocol";
}

function isWhole({ ranges, length }: Assembly): boolean {
  return ranges.length === 2 && ranges[0] === 0 && ranges[1] === length;
}

/** Adds a range to sorted ones; `false` where it overlaps another, or there are too many. */
function addRange(ranges: number[], start: number, end: number): boolean {
  let at = 0;
  while (at < ranges.length && ranges[at]! < start) at += 2;
  const before = ranges[at - 1] ?? -1;
  const after = ranges[at] ?? Infinity;
  if (before > start || after < end) return false;
  const joinsBefore = before === start;
  const joinsAfter = after === end;
  if (joinsBefore && joinsAfter) ranges.splice(at - 1, 2);
  else if (joinsBefore) ranges[at - 1] = end;
  else if (joinsAfter) ranges[at] = start;
  else if (ranges.length >= MOST_RANGES * 2) return false;
  else ranges.splice(at, 0, start, end);
  return true;
}

function keepHead({ head, captured }: Assembly, c: Dissection, offset: number): void {
  const end = Math.min(KEPT, offset + c.end - c.at);
  if (end <= offset) return;
  const { buffer, byteOffset } = c.view;
  head.set(new Uint8Array(buffer, byteOffset + c.at, end - offset), offset);
  addRange(captured, offset, end);
}
