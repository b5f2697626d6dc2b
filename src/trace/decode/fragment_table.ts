/**
 * IP datagrams that came in fragments, put together as far as their headers and lengths go.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";
import type { UndecodedKind } from "./undecoded.ts";

/** So many datagrams are put together at a time; the oldest leaves first. */
const MAX_DATAGRAMS = 1024;
/** So much of each is kept: every header of a few tunnels; what comes behind is counted only. */
const HEAD_LENGTH = 512;
/** So many gaps between fragments are held open. */
const MAX_RANGES = 64;
/** RFC 8200, section 4.5: the rest is waited for so long, in seconds. */
const REASSEMBLY_TIMEOUT = 60;
const MAX_DATAGRAM_LENGTH = 65_535;

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
export type FragmentResult =
  | { readonly what: "segment"; readonly seq: number; readonly length: number }
  | { readonly what: "other"; readonly kind: UndecodedKind; readonly number: number }
  | { readonly what: "read" };

interface Reassembly {
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
  first: FragmentResult | undefined;
  /** Fragments that are part of nothing yet. */
  pending: number;
  isDone: boolean;
}

/** Puts fragments together, in bounded memory. */
export class FragmentTable {
  readonly #reassemblies = new Map<string, Reassembly>();
  readonly #onUndecoded: (packets: number, what: { kind: UndecodedKind; number: number }) => void;
  #current: Reassembly | undefined;

  /** Tells of fragments that are part of no segment. */
  constructor(onOther: (packets: number, what: { kind: UndecodedKind; number: number }) => void) {
    this.#onUndecoded = onOther;
  }

  /** How many datagrams are being put together. */
  get size(): number {
    return this.#reassemblies.size;
  }

  /**
   * Takes in a fragment whose payload begins at `c.at`. Where it makes its datagram whole, the
   * dissection goes on in the whole of it; where it is the first one, in what there is of it.
   */
  add(packet: Dissection, fragment: Fragment): Layer {
    const { offset } = fragment;
    // An error quotes the header of what it is about, in fragments or not.
    if (packet.isInIcmpError) return offset === 0 ? "IP protocol" : packet.undecoded("ICMP error");
    const end = offset + packet.wireEnd - packet.offset;
    if (end > MAX_DATAGRAM_LENGTH || end <= offset) return packet.undecoded("malformed");
    if (packet.fragment !== "none") this.setResult({ what: "read" });
    const assembly = this.#reassemblyOf(packet, fragment);
    this.#current = assembly;
    if (assembly.isDone || !addRange(assembly.ranges, offset, end)) {
      return offset === 0 && !assembly.isDone ? readFirst(packet) : this.#hold(assembly);
    }
    copyHead(assembly, packet, offset);
    if (!fragment.hasMore) assembly.length = end;
    if (offset === 0) assembly.protocol = packet.nextProtocol;
    if (isWhole(assembly)) return this.#complete(packet, assembly);
    return offset === 0 ? readFirst(packet) : this.#hold(assembly);
  }

  /** Whether the segment of this dissection is that of the datagram which came in fragments. */
  isSegmentOfDatagram(packet: Dissection): boolean {
    return packet.ipHeaders === this.#current?.depth;
  }

  /**
   * Notes what the fragments turned out to be that have come; `undefined` where a first one says too
   * little by itself.
   */
  setResult(result: FragmentResult | undefined): void {
    const assembly = this.#current;
    if (assembly === undefined) return;
    assembly.first = result;
    if (result === undefined) assembly.pending += 1;
    else this.#countPending(assembly, result);
  }

  /** How much of the segment whose rest has come was told of with its first fragment. */
  get firstPart(): { seq: number; length: number } {
    const first = this.#current?.first;
    return first?.what === "segment" ? first : { seq: 0, length: 0 };
  }

  /** Gives up on all that is not whole. */
  finish(): void {
    for (const assembly of this.#reassemblies.values()) this.#discard(assembly);
    this.#reassemblies.clear();
  }

  #reassemblyOf(packet: Dissection, { offset, identification }: Fragment): Reassembly {
    const protocol = packet.isIpv6 ? 0 : packet.nextProtocol;
    const key = `${packet.addresses.join()} ${identification} ${protocol} ${packet.tunnels.key}`;
    const known = this.#reassemblies.get(key);
    const isOver = known !== undefined &&
      (Math.abs(packet.seconds - known.startedAt) > REASSEMBLY_TIMEOUT ||
        (known.isDone && offset === 0));
    if (known !== undefined && !isOver) return known;
    if (known !== undefined) this.#discard(known);
    if (this.#reassemblies.size >= MAX_DATAGRAMS) {
      const [oldest] = this.#reassemblies.values();
      if (oldest !== undefined) this.#discard(oldest);
    }
    const assembly: Reassembly = {
      key,
      startedAt: packet.seconds,
      depth: packet.ipHeaders,
      head: new Uint8Array(HEAD_LENGTH),
      ranges: [],
      captured: [],
      length: undefined,
      protocol,
      first: undefined,
      pending: 0,
      isDone: false,
    };
    this.#reassemblies.set(key, assembly);
    return assembly;
  }

  #hold(assembly: Reassembly): Layer {
    assembly.pending += 1;
    if (assembly.first !== undefined) this.#countPending(assembly, assembly.first);
    return "held fragment";
  }

  #complete(packet: Dissection, assembly: Reassembly): Layer {
    assembly.isDone = true;
    const { first, captured, length = 0 } = assembly;
    if (first !== undefined && first.what !== "segment") return this.#hold(assembly);
    packet.view = new DataView(assembly.head.buffer);
    packet.offset = 0;
    packet.end = captured[0] === 0 ? Math.min(captured[1] ?? 0, length) : 0;
    packet.wireEnd = length;
    packet.nextProtocol = assembly.protocol;
    packet.fragment = "whole";
    return first === undefined ? "IP protocol" : "tcp remainder";
  }

  /** What has come belongs to what the first fragment was. */
  #countPending(assembly: Reassembly, result: FragmentResult): void {
    if (result.what === "other" && assembly.pending > 0) {
      this.#onUndecoded(assembly.pending, result);
    }
    assembly.pending = 0;
  }

  #discard(assembly: Reassembly): void {
    this.#reassemblies.delete(assembly.key);
    if (assembly.pending > 0) this.#onUndecoded(assembly.pending, { kind: "fragment", number: 0 });
  }
}

/** A first fragment is read by itself, also where it is a copy of one: the tracker knows copies. */
function readFirst(packet: Dissection): Layer {
  packet.fragment = "first";
  return "IP protocol";
}

function isWhole({ ranges, length }: Reassembly): boolean {
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
  else if (ranges.length >= MAX_RANGES * 2) return false;
  else ranges.splice(at, 0, start, end);
  return true;
}

function copyHead({ head, captured }: Reassembly, packet: Dissection, offset: number): void {
  const end = Math.min(HEAD_LENGTH, offset + packet.end - packet.offset);
  if (end <= offset) return;
  const { buffer, byteOffset } = packet.view;
  head.set(new Uint8Array(buffer, byteOffset + packet.offset, end - offset), offset);
  addRange(captured, offset, end);
}
