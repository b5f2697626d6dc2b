/**
 * Capture bytes to tracker: reader, decoder and filter in sequence.
 *
 * @module
 */
import type { IpAddress } from "../decode/ip_address.ts";
import { CaptureReader } from "../decode/capture_reader.ts";
import { Decoder } from "../decode/decoder.ts";
import { Segment } from "../decode/segment.ts";
import type { Tracker } from "./tracker.ts";

/** Selects segments that match any of the hosts and any of the ports. */
export interface Filter {
  /** Addresses of either end; empty matches any. */
  readonly hosts: readonly IpAddress[];
  /** Ports of either end; empty matches any. */
  readonly ports: readonly number[];
}

/** Counters of a capture. */
export interface CaptureCounters {
  /** Packets in the capture. */
  readonly packets: number;
  /** Packets without TCP, by protocol name. */
  readonly withoutTcp: ReadonlyMap<string, number>;
  /** Packets that could not be decoded, by reason. */
  readonly undecodable: ReadonlyMap<string, number>;
  /** TCP segments, and ICMP errors that quote one. */
  readonly segments: number;
  /** Segments that the filter excluded. */
  readonly filtered: number;
  /** Segments captured more than once. */
  readonly duplicates: number;
  /** ICMP errors about segments that were not captured. */
  readonly strayIcmpErrors: number;
  /** Finished flows evicted because of the flow limit. */
  readonly expired: number;
  /** Open flows evicted because of the flow limit. */
  readonly evicted: number;
}

/** Decodes the chunks of a capture and passes the selected segments to a tracker. */
export class CapturePipeline {
  /** The capture reader. */
  readonly reader: CaptureReader = new CaptureReader();
  readonly #decoder = new Decoder();
  readonly #tracker: Tracker;
  readonly #filter: Filter | undefined;
  readonly #segment = new Segment();
  #segments = 0;
  #filtered = 0;

  /** Passes segments that match the filter to the tracker. */
  constructor(tracker: Tracker, filter?: Filter) {
    this.#tracker = tracker;
    const isOpen = filter === undefined || filter.hosts.length + filter.ports.length === 0;
    this.#filter = isOpen ? undefined : filter;
  }

  /**
   * Processes a chunk.
   *
   * @throws {CaptureError} if the stream is no capture or its remainder cannot be read
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

  /** Ends the capture: incomplete fragments are counted and discarded. */
  finish(): void {
    this.#decoder.finish();
  }

  /** The counters so far. */
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
