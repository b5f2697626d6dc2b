/**
 * Reassembles IP fragments as far as headers and lengths need it.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";
import type { UndecodedKind } from "./undecoded.ts";

/** Maximum number of datagrams in reassembly; the oldest is discarded first. */
const MAX_DATAGRAMS = 1024;
/** Bytes stored of each datagram, enough for all headers; the remainder is only counted. */
const HEAD_LENGTH = 512;
/** Maximum number of separate ranges per datagram. */
const MAX_RANGES = 64;
/** Reassembly timeout in seconds of capture time (RFC 8200, 4.5). */
const REASSEMBLY_TIMEOUT = 60;
const MAX_DATAGRAM_LENGTH = 65_535;

/** The fields of a fragment header. */
export interface Fragment {
  /** Offset in the datagram's payload, in bytes. */
  readonly offset: number;
  /** The More Fragments flag. */
  readonly hasMore: boolean;
  /** Identification that the fragments of a datagram share. */
  readonly identification: number;
}

/** Result of decoding a first fragment on its own. */
export type FragmentResult =
  | { readonly what: "segment"; readonly seq: number; readonly length: number }
  | { readonly what: "other"; readonly kind: UndecodedKind; readonly number: number }
  | { readonly what: "decoded" };

interface Reassembly {
  readonly key: string;
  readonly startedAt: number;
  /** Number of IP headers before the payload. */
  readonly depth: number;
  /** The first {@linkcode HEAD_LENGTH} bytes of the payload. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** Received ranges of the payload: start and end pairs, sorted, not adjacent. */
  readonly ranges: number[];
  /** Captured ranges of {@linkcode head}, in the same form. */
  readonly captured: number[];
  /** Payload length; known once the last fragment has been received. */
  length: number | undefined;
  /** IP protocol of the first fragment. */
  protocol: number;
  /** Result of the first fragment, if it could be decoded on its own. */
  first: FragmentResult | undefined;
  /** Fragments that are not counted as part of any result yet. */
  pending: number;
  isDone: boolean;
}

/** Reassembles fragments in bounded memory. */
export class FragmentTable {
  readonly #reassemblies = new Map<string, Reassembly>();
  readonly #onUndecoded: (packets: number, what: { kind: UndecodedKind; number: number }) => void;
  #current: Reassembly | undefined;

  /** Calls `onUndecoded` with the number of fragments that hold no segment. */
  constructor(
    onUndecoded: (packets: number, what: { kind: UndecodedKind; number: number }) => void,
  ) {
    this.#onUndecoded = onUndecoded;
  }

  /**
   * Adds a fragment whose payload starts at `packet.offset`. Decoding continues in the reassembled
   * datagram when it is complete, or in the fragment itself if it is the first.
   */
  add(packet: Dissection, fragment: Fragment): Layer {
    const { offset } = fragment;
    // A quoted datagram may be a fragment; its first one holds the ports.
    if (packet.isInIcmpError) return offset === 0 ? "IP protocol" : packet.undecoded("ICMP error");
    const end = offset + packet.wireEnd - packet.offset;
    if (end > MAX_DATAGRAM_LENGTH || end <= offset) return packet.undecoded("malformed");
    if (packet.fragment !== "none") this.setResult({ what: "decoded" });
    const reassembly = this.#reassemblyOf(packet, fragment);
    this.#current = reassembly;
    if (reassembly.isDone || !addRange(reassembly.ranges, offset, end)) {
      return offset === 0 && !reassembly.isDone ? readFirst(packet) : this.#hold(reassembly);
    }
    copyHead(reassembly, packet, offset);
    if (!fragment.hasMore) reassembly.length = end;
    if (offset === 0) reassembly.protocol = packet.nextProtocol;
    if (isWhole(reassembly)) return this.#complete(packet, reassembly);
    return offset === 0 ? readFirst(packet) : this.#hold(reassembly);
  }

  /**
   * Whether the current segment belongs to the fragmented datagram itself, not to one that it
   * encapsulates.
   */
  isSegmentOfDatagram(packet: Dissection): boolean {
    return packet.ipHeaders === this.#current?.depth;
  }

  /**
   * Sets what the received fragments hold; `undefined` if the first fragment alone does not tell.
   */
  setResult(result: FragmentResult | undefined): void {
    const reassembly = this.#current;
    if (reassembly === undefined) return;
    reassembly.first = result;
    if (result === undefined) reassembly.pending += 1;
    else this.#countPending(reassembly, result);
  }

  /** The part of the segment that was already decoded from the first fragment. */
  get firstPart(): { seq: number; length: number } {
    const first = this.#current?.first;
    return first?.what === "segment" ? first : { seq: 0, length: 0 };
  }

  /** Discards all incomplete datagrams. */
  finish(): void {
    for (const reassembly of this.#reassemblies.values()) this.#discard(reassembly);
    this.#reassemblies.clear();
  }

  #reassemblyOf(packet: Dissection, { offset, identification }: Fragment): Reassembly {
    const protocol = packet.isIpv6 ? 0 : packet.nextProtocol;
    const key = `${packet.addresses.join()} ${identification} ${protocol} ${packet.tunnels.key}`;
    const known = this.#reassemblies.get(key);
    const isExpired = known !== undefined &&
      (Math.abs(packet.seconds - known.startedAt) > REASSEMBLY_TIMEOUT ||
        (known.isDone && offset === 0));
    if (known !== undefined && !isExpired) return known;
    if (known !== undefined) this.#discard(known);
    if (this.#reassemblies.size >= MAX_DATAGRAMS) {
      const [oldest] = this.#reassemblies.values();
      if (oldest !== undefined) this.#discard(oldest);
    }
    const reassembly: Reassembly = {
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
    this.#reassemblies.set(key, reassembly);
    return reassembly;
  }

  #hold(reassembly: Reassembly): Layer {
    reassembly.pending += 1;
    if (reassembly.first !== undefined) this.#countPending(reassembly, reassembly.first);
    return "held fragment";
  }

  #complete(packet: Dissection, reassembly: Reassembly): Layer {
    reassembly.isDone = true;
    const { first, captured, length = 0 } = reassembly;
    if (first !== undefined && first.what !== "segment") return this.#hold(reassembly);
    packet.view = new DataView(reassembly.head.buffer);
    packet.offset = 0;
    packet.end = captured[0] === 0 ? Math.min(captured[1] ?? 0, length) : 0;
    packet.wireEnd = length;
    packet.nextProtocol = reassembly.protocol;
    packet.fragment = "whole";
    return first === undefined ? "IP protocol" : "tcp remainder";
  }

  /** Counts the pending fragments by the result of the first one. */
  #countPending(reassembly: Reassembly, result: FragmentResult): void {
    if (result.what === "other" && reassembly.pending > 0) {
      this.#onUndecoded(reassembly.pending, result);
    }
    reassembly.pending = 0;
  }

  #discard(reassembly: Reassembly): void {
    this.#reassemblies.delete(reassembly.key);
    if (reassembly.pending > 0) {
      this.#onUndecoded(reassembly.pending, { kind: "fragment", number: 0 });
    }
  }
}

/** A first fragment is decoded even if it is a duplicate; the tracker drops duplicates. */
function readFirst(packet: Dissection): Layer {
  packet.fragment = "first";
  return "IP protocol";
}

function isWhole({ ranges, length }: Reassembly): boolean {
  return ranges.length === 2 && ranges[0] === 0 && ranges[1] === length;
}

/** Adds a range to a sorted list; `false` if it overlaps another or the list is full. */
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
