/**
 * The way into an outlet: from a socket that was accepted to a connection that is served, step by step.
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

/** A client that was let in: its connection, and what it holds while it stays. */
export interface AdmittedConnection {
  /** Its connection. */
  readonly connection: Connection;
  /** Its place. */
  readonly permit: Disposable;
  /** What serves it. */
  readonly handler: Handler;
}

/** What a pipeline belongs to. */
export interface AcceptPipelineOptions {
  /** Who may come in. */
  readonly admission: Admission;
  /** Aborted when nobody is to come in any more. */
  readonly signal: AbortSignal;
  /** Numbers connections. */
  number(): number;
  /** Told whom nobody lets in, and why. */
  refused(peer: Address, reason: string): void;
  /** Told what kept a client out that was no fault of its own. */
  failed(error: unknown): void;
}

/** Why a client is turned away; nothing, where it goes on to the next step. */
type Outcome = string | undefined;

/** One step of the way in, which changes what it has to of the arrival. */
type Step = (arrival: Arrival) => Outcome | Promise<Outcome>;

/** Lets clients in, each apart from all others. */
export class AcceptPipeline implements Disposable {
  readonly #options: AcceptPipelineOptions;
  readonly #batch = new AcceptBatch();
  #settings: OutletSettings | undefined;
  #steps: readonly Step[] = [];

  /** A pipeline of these. */
  constructor(options: AcceptPipelineOptions) {
    this.#options = options;
  }

  /** A client's way in. Whoever does not get to its end is closed. */
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
        // What need not wait does not: who is accepted is counted before the next one is.
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
   * The steps that these settings ask for. From the first on a client is counted, and the header and the handshake have
   * a deadline each; without one is only who waits for a place, and that is one client of an outlet at a time.
   */
  #stepsFor(settings: OutletSettings): Step[] {
    const { admission, number } = this.#options;
    const { proxies, keepAlive } = settings;
    const header = STAGES.proxyHeader(settings);
    return [
      ...proxies
        ? [
          ({ peer }: Arrival) => proxies.trusts(peer) ? undefined : "not a trusted proxy",
          this.#takePlace(settings, () => admission.reserve()),
        ]
        : [this.#takePlace(settings, ({ peer }) => admission.admit(hostOf(peer)))],
      ...through(header),
      ...header ? [({ permit, peer }: Arrival) => permit!.identify(hostOf(peer))] : [],
      () => this.#batch.next()?.then(() => undefined),
      ({ stream }) => void stream.setKeepAlive(keepAlive),
      ...through(STAGES.layers(settings)),
      (arrival) => void (arrival.id = number()),
      ...through(STAGES.capture(settings)),
    ];
  }

  #takePlace({ whenFull }: OutletSettings, take: (arrival: Arrival) => Permit): Step {
    const admission = whenFull === "defer" ? this.#options.admission : undefined;
    return (arrival) => seat(arrival, { take, admission });
  }

  /** To be called when nobody is on the way in. */
  [Symbol.dispose](): void {
    this.#batch[Symbol.dispose]();
    this.#options.admission[Symbol.dispose]();
  }
}

/** Gives the client its place. Where who finds none is to wait, `admission` says when to look again. */
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
  if (refusal !== "full" || !admission || signal.aborted) return refusal;
  return admission.waitForCapacity(signal).then(() => seat(arrival, { take, admission }));
}

/** The step of a stage, where there is one. */
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
