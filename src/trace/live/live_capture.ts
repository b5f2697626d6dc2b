/**
 * A live capture in the background, in which a program looks up its own connections.
 *
 * @module
 */
import { endpointText } from "../decode/ip_address.ts";
import type { Flow } from "../track/flow.ts";
import { CaptureMarker } from "./capture_marker.ts";
import { CapturePipeline, type Filter } from "../track/capture_pipeline.ts";
import { Tcpdump, type TcpdumpOptions } from "./tcpdump.ts";
import { Tracker } from "../track/tracker.ts";

/** Maximum number of flows, with their histories. */
const MAX_FLOWS = 4096;

/** Tracks the connections that tcpdump captures. Disposing it ends both. */
export class LiveCapture implements AsyncDisposable {
  readonly #tcpdump: Tcpdump;
  readonly #tracker = new Tracker({ keepSegments: true, limit: MAX_FLOWS });
  readonly #markers = new Set<CaptureMarker>();
  readonly #waiters = new Set<() => void>();
  readonly #byEndpoints = new Map<string, Flow>();
  /** Value of {@linkcode Tracker.flowCount} when the index was built. */
  #indexedFlowCount = 0;
  readonly #reading: Promise<void>;
  readonly #pipeline: CapturePipeline;

  private constructor(
    tcpdump: Tcpdump,
    { filter, onFault }: { filter: Filter; onFault: (reason: unknown) => void },
  ) {
    this.#tcpdump = tcpdump;
    this.#pipeline = new CapturePipeline(this.#tracker, filter);
    this.#reading = this.#read().catch(onFault);
  }

  /**
   * Starts a capture; resolves when it is running.
   *
   * @throws {NoCaptureError} without tcpdump, or without the permission to capture
   */
  static async start(
    options: TcpdumpOptions,
    onFault: (reason: unknown) => void = () => {},
  ): Promise<LiveCapture> {
    return new LiveCapture(await Tcpdump.start(options), { filter: options, onFault });
  }

  /**
   * The flows in memory: finished ones in the order in which they ended, then open ones in the
   * order in which they began.
   */
  flows(): Iterable<Flow> {
    return this.#tracker.flows();
  }

  /** The latest flow between two ends, as formatted by {@linkcode endpointText}. */
  find(client: string, server: string): Flow | undefined {
    if (this.#indexedFlowCount !== this.#tracker.flowCount) this.#index();
    return this.#byEndpoints.get(`${client} ${server}`);
  }

  /** Builds an index by both ends, so that looking up all connections is linear. */
  #index(): void {
    this.#indexedFlowCount = this.#tracker.flowCount;
    this.#byEndpoints.clear();
    for (const flow of this.flows()) {
      const { client, server, number } = flow;
      const ends = `${endpointText(client.address, client.port)} ` +
        endpointText(server.address, server.port);
      if ((this.#byEndpoints.get(ends)?.number ?? -1) < number) this.#byEndpoints.set(ends, flow);
    }
  }

  /** Waits for a flow that fits and returns the latest; `undefined` after `within` milliseconds. */
  async waitForFlow(fits: (flow: Flow) => boolean, within: number): Promise<Flow | undefined> {
    const found = Promise.withResolvers<Flow | undefined>();
    const look = () => {
      const [latest] = [...this.flows()].filter(fits)
        .toSorted((a, b) => b.number - a.number);
      if (latest !== undefined) found.resolve(latest);
    };
    const timer = setTimeout(() => found.resolve(undefined), within);
    this.#waiters.add(look);
    look();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(look);
    }
  }

  /** Waits until all packets sent before are processed; `false` after `within` milliseconds. */
  async waitUntilCurrent(within: number): Promise<boolean> {
    const marker = new CaptureMarker();
    this.#markers.add(marker);
    try {
      return await marker.send(within);
    } finally {
      this.#markers.delete(marker);
    }
  }

  /** Ends the capture. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#tcpdump.end();
    await this.#reading;
    await this.#tcpdump[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#tcpdump.chunks()) {
      this.#pipeline.feed(chunk);
      for (const marker of this.#markers) marker.scan(chunk);
      for (const look of this.#waiters) look();
    }
  }
}
