/**
 * A live capture that goes on beside a program, so that it can look its own handshakes up.
 *
 * @module
 */
import { endpointText } from "../decode/ip_address.ts";
import type { Flow } from "../track/flow.ts";
import { CaptureMarker } from "./capture_marker.ts";
import { CapturePipeline, type Filter } from "../track/capture_pipeline.ts";
import { Tcpdump, type TcpdumpOptions } from "./tcpdump.ts";
import { Tracker } from "../track/tracker.ts";

/** How many flows are remembered, with their segments. */
const MAX_FLOWS = 4096;

/** Follows the connections that tcpdump shows. Disposing it ends both. */
export class LiveCapture implements AsyncDisposable {
  readonly #tcpdump: Tcpdump;
  readonly #tracker = new Tracker({ keepSegments: true, limit: MAX_FLOWS });
  readonly #markers = new Set<CaptureMarker>();
  readonly #waiters = new Set<() => void>();
  readonly #byEndpoints = new Map<string, Flow>();
  /** How many flows there had been when they were put there. */
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
   * Starts to watch; when it resolves, every segment from then on is seen.
   *
   * @throws {NoCaptureError} where there is no tcpdump, or no right to capture
   */
  static async start(
    options: TcpdumpOptions,
    onFault: (reason: unknown) => void = () => {},
  ): Promise<LiveCapture> {
    return new LiveCapture(await Tcpdump.start(options), { filter: options, onFault });
  }

  /** Every flow that is remembered: those that are over in the order of their end, then the others as they began. */
  flows(): Iterable<Flow> {
    return this.#tracker.flows();
  }

  /** The latest flow between two ends, as they are written in a URL. */
  find(client: string, server: string): Flow | undefined {
    if (this.#indexedFlowCount !== this.#tracker.flowCount) this.#index();
    return this.#byEndpoints.get(`${client} ${server}`);
  }

  /** Whoever asks for all connections asks for one after the other: the ends are written out once for all of them. */
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

  /** The latest flow that fits, now or once it has come so far; nothing after so many milliseconds. */
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

  /** Waits until everything that was on the wire before is followed; false if that is not known in time. */
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
