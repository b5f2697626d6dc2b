/**
 * From the bytes of a capture to the tracker: reader, decoder and filter in a row.
 *
 * @module
 */
import type { IpAddress } from "../decode/ip_address.ts";
import { CaptureReader } from "../decode/capture_reader.ts";
import { Decoder } from "../decode/decoder.ts";
import { Segment } from "../decode/segment.ts";
import type { Tracker } from "./tracker.ts";

/** Which segments are followed: those between any of the hosts and any of the ports. */
export interface Filter {
  /** Addresses of one end; any where there are none. */
  readonly hosts: readonly IpAddress[];
  /** Ports of one end; any where there are none. */
  readonly ports: readonly number[];
}

/** What a summary has to say besides the flows. */
export interface CaptureCounters {
  /** Packets in the capture. */
  readonly packets: number;
  /** Packets that carry something other than TCP, by its name. */
  readonly withoutTcp: ReadonlyMap<string, number>;
  /** Packets that could not be read to their end, by the reason. */
  readonly undecodable: ReadonlyMap<string, number>;
  /** Segments, and ICMP errors about some, that were found in the packets. */
  readonly segments: number;
  /** Segments of connections that were not asked for. */
  readonly filtered: number;
  /** Segments captured a second time. */
  readonly duplicates: number;
  /** ICMP errors about segments of no connection that is known. */
  readonly strayIcmpErrors: number;
  /** Finished flows that were forgotten to make room. */
  readonly expired: number;
  /** Open flows that left to make room. */
  readonly evicted: number;
}

/** Feeds a tracker from the chunks of a capture. */
export class CapturePipeline {
  /** The capture's reader. */
  readonly reader: CaptureReader = new CaptureReader();
  readonly #decoder = new Decoder();
  readonly #tracker: Tracker;
  readonly #filter: Filter | undefined;
  readonly #segment = new Segment();
  #segments = 0;
  #filtered = 0;

  /** Feeds this tracker with what passes the filter. */
  constructor(tracker: Tracker, filter?: Filter) {
    this.#tracker = tracker;
    const isOpen = filter === undefined || filter.hosts.length + filter.ports.length === 0;
    this.#filter = isOpen ? undefined : filter;
  }

  /**
   * Takes in a chunk.
   *
   * @throws {CaptureError} where it is no capture, or the rest of it cannot be read
   */
  feed(chunk: Uint8Array): void {
    const segment = this.#segment;
    for (const packet of this.reader.read(chunk)) {
      const decoded = this.#decoder.decode(packet, segment);
      if (decoded === "undecoded") continue;
      this.#segments += 1;
      if (this.#filter === undefined || passes(this.#filter, segment)) {
        this.#tracker.track(segment, decoded);
      } else {
        this.#filtered += 1;
      }
    }
  }

  /** Says that the capture has ended: fragments that wait for others are given up. */
  finish(): void {
    this.#decoder.finish();
  }

  /** What a summary says besides the flows. */
  get counters(): CaptureCounters {
    const { packets, damagedBlocks } = this.reader;
    const { duplicates, strayIcmpErrors, expired, evicted } = this.#tracker;
    const { withoutTcp, undecodable } = this.#decoder.undecoded;
    const unread = new Map(undecodable);
    if (damagedBlocks > 0) unread.set("in damaged blocks", damagedBlocks);
    return {
      ...{ packets, withoutTcp, undecodable: unread },
      ...{ segments: this.#segments, filtered: this.#filtered },
      ...{ duplicates, strayIcmpErrors, expired, evicted },
    };
  }
}

function passes({ hosts, ports }: Filter, segment: Segment): boolean {
  const { sourcePort, destinationPort, addresses } = segment;
  if (ports.length > 0 && !ports.includes(sourcePort) && !ports.includes(destinationPort)) {
    return false;
  }
  return hosts.length === 0 ||
    hosts.some((host) => isAt(host, addresses, 0) || isAt(host, addresses, 4));
}

function isAt(host: IpAddress, addresses: IpAddress, at: number): boolean {
  return host[3] === addresses[at + 3] && host[2] === addresses[at + 2] &&
    host[1] === addresses[at + 1] && host[0] === addresses[at];
}
