/**
 * The steps from an accepted socket to a connection that is served: admission, PROXY header, TLS,
 * capture.
 *
 * @module
 */
import { type Address, isUnix } from "../endpoint/address.ts";
import type { Connection, Handler } from "../connection/connection.ts";
import type { ByteStream } from "../transport/stream.ts";
import { PeerRefused, type Stage } from "../transport/stage.ts";
import type { Admission, Permit } from "../admission/admission.ts";
import type { OutletSettings } from "./settings.ts";
import { AcceptBatch } from "./accept_batch.ts";
import { Arrival } from "./arrival.ts";
import { STAGES } from "./stages.ts";

/** An admitted connection. */
export interface AdmittedConnection {
  /** Its connection. */
  readonly connection: Connection;
  /** Its slot, released by disposing it. */
  readonly permit: Disposable;
  /** The handler that serves it. */
  readonly handler: Handler;
}

/** Options of {@linkcode AcceptPipeline}. */
export interface AcceptPipelineOptions {
  /** The limits and access rules. */
  readonly admission: Admission;
  /** Aborted when no more connections are admitted. */
  readonly signal: AbortSignal;
  /** Returns the next connection id. */
  number(): number;
  /** Called when a connection is refused. */
  refused(peer: Address, reason: string): void;
  /** Called when a step fails for a reason other than the client. */
  failed(error: unknown): void;
}

/** The reason of a refusal; `undefined` if the connection goes on to the next step. */
type Outcome = string | undefined;

/** One step. It may change the arrival. */
type Step = (arrival: Arrival) => Outcome | Promise<Outcome>;

/** Takes accepted connections through the steps, each independently of the others. */
export class AcceptPipeline implements Disposable {
  readonly #options: AcceptPipelineOptions;
  readonly #batch = new AcceptBatch();
  #settings: OutletSettings | undefined;
  #steps: readonly Step[] = [];

  /** A pipeline with these options. */
  constructor(options: AcceptPipelineOptions) {
    this.#options = options;
  }

  /** Takes one connection through all steps. A connection that is refused or fails is closed. */
  async accept(
    stream: ByteStream,
    settings: OutletSettings,
  ): Promise<AdmittedConnection | undefined> {
    if (settings !== this.#settings) this.#steps = this.#stepsFor(settings);
    this.#settings = settings;
    using arrival = new Arrival(stream, this.#options.signal);
    try {
      for (const step of this.#steps) {
        const outcome = step(arrival);
        // Synchronous steps are not awaited, so that a connection is counted before the next one
        // is accepted.
        const refusal = outcome instanceof Promise ? await outcome : outcome;
        if (refusal !== undefined) return void this.#options.refused(arrival.peer, refusal);
      }
      const { permit } = arrival;
      return { connection: arrival.connect(), permit: permit!, handler: settings.handler };
    } catch (error) {
      this.#options.failed(error);
    }
  }

  /**
   * The steps that the settings ask for. The first one counts the connection. The PROXY header
   * and the TLS handshake have a deadline each. Waiting for a slot has none, but only one
   * connection of an outlet waits at a time.
   */
  #stepsFor(settings: OutletSettings): Step[] {
    const { admission, number } = this.#options;
    const { proxies, keepAlive, layers } = settings;
    const forwarders = layers?.ws?.forwarders;
    const header = STAGES.proxyHeader(settings);
    return [
      ...proxies
        ? [
          ({ peer }: Arrival) => proxies.trusts(peer) ? undefined : "not a trusted proxy",
          this.#takePlace(settings, () => admission.reserve()),
        ]
        : [this.#takePlace(settings, (arrival) => {
          const { peer } = arrival;
          arrival.isIdentified = !forwarders?.trusts(peer);
          return arrival.isIdentified ? admission.admit(hostOf(peer)) : admission.reserve();
        })],
      ...through(header),
      ...header ? [({ permit, peer }: Arrival) => permit!.identify(hostOf(peer))] : [],
      () => this.#batch.next()?.then(() => undefined),
      ({ stream }) => void stream.setKeepAlive(keepAlive),
      ...through(STAGES.layers(settings)),
      ...forwarders
        ? [
          ({ permit, peer, isIdentified }: Arrival) =>
            isIdentified ? undefined : permit!.identify(hostOf(peer)),
        ]
        : [],
      (arrival) => void (arrival.id = number()),
      ...through(STAGES.capture(settings)),
    ];
  }

  #takePlace({ whenFull }: OutletSettings, take: (arrival: Arrival) => Permit): Step {
    const admission = whenFull === "defer" ? this.#options.admission : undefined;
    return (arrival) => seat(arrival, { take, admission });
  }

  /** To be called when no connection is in the pipeline. */
  [Symbol.dispose](): void {
    this.#batch[Symbol.dispose]();
    this.#options.admission[Symbol.dispose]();
  }
}

/** Takes a slot for the connection. With `admission`, it waits until there is one. */
function seat(
  arrival: Arrival,
  { take, admission }: {
    take(arrival: Arrival): Permit;
    admission: Admission | undefined;
  },
): Outcome | Promise<Outcome> {
  const { signal } = arrival;
  arrival.permit = take(arrival);
  const { refusal } = arrival.permit;
  if (refusal !== "connection limit reached" || !admission || signal.aborted) return refusal;
  return admission.waitForCapacity(signal).then(() => seat(arrival, { take, admission }));
}

/** The step of a stage; none without a stage. */
function through(stage: Stage | undefined): Step[] {
  if (!stage) return [];
  return [async (arrival) => {
    try {
      await arrival.pass(stage);
    } catch (error) {
      if (error instanceof PeerRefused) return error.message;
      throw error;
    }
  }];
}

function hostOf(peer: Address): string | undefined {
  return isUnix(peer) ? undefined : peer.hostname;
}
