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
import { AcceptedStream } from "./accepted_stream.ts";
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

/** One step. It may change the accepted stream. */
type Step = (accepted: AcceptedStream) => Outcome | Promise<Outcome>;

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
    using accepted = new AcceptedStream(stream, this.#options.signal);
    try {
      for (const step of this.#steps) {
        const outcome = step(accepted);
        // Synchronous steps are not awaited, so that a connection is counted before the next one
        // is accepted.
        const refusal = outcome instanceof Promise ? await outcome : outcome;
        if (refusal !== undefined) return void this.#options.refused(accepted.peer, refusal);
      }
      const { permit } = accepted;
      return { connection: accepted.connect(settings), permit: permit!, handler: settings.handler };
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
          ({ peer }: AcceptedStream) => proxies.trusts(peer) ? undefined : "not a trusted proxy",
          this.#acquireStep(settings, () => admission.reserve()),
        ]
        : [this.#acquireStep(settings, (accepted) => {
          const { peer } = accepted;
          accepted.isIdentified = !forwarders?.trusts(peer);
          return accepted.isIdentified ? admission.admit(hostOf(peer)) : admission.reserve();
        })],
      ...stageSteps(header),
      ...header ? [({ permit, peer }: AcceptedStream) => permit!.identify(hostOf(peer))] : [],
      () => this.#batch.next()?.then(() => undefined),
      ({ stream }) => void stream.setKeepAlive(keepAlive),
      ...stageSteps(STAGES.layers(settings)),
      ...forwarders
        ? [
          ({ permit, peer, isIdentified }: AcceptedStream) =>
            isIdentified ? undefined : permit!.identify(hostOf(peer)),
        ]
        : [],
      (accepted) => void (accepted.id = number()),
      ...stageSteps(STAGES.capture(settings)),
      ...stageSteps(STAGES.output(settings)),
    ];
  }

  #acquireStep({ whenFull }: OutletSettings, acquire: (accepted: AcceptedStream) => Permit): Step {
    const admission = whenFull === "defer" ? this.#options.admission : undefined;
    return (accepted) => acquireSlot(accepted, { acquire, admission });
  }

  /** To be called when no connection is in the pipeline. */
  [Symbol.dispose](): void {
    this.#batch[Symbol.dispose]();
    this.#options.admission[Symbol.dispose]();
  }
}

/** Takes a slot for the connection. With `admission`, it waits until there is one. */
function acquireSlot(
  accepted: AcceptedStream,
  { acquire, admission }: {
    acquire(accepted: AcceptedStream): Permit;
    admission: Admission | undefined;
  },
): Outcome | Promise<Outcome> {
  const { signal } = accepted;
  accepted.permit = acquire(accepted);
  const { refusal } = accepted.permit;
  if (refusal !== "connection limit reached" || !admission || signal.aborted) return refusal;
  return admission.waitForCapacity(signal).then(() =>
    acquireSlot(accepted, { acquire, admission })
  );
}

/** The step of a stage; none without a stage. */
function stageSteps(stage: Stage | undefined): Step[] {
  if (!stage) return [];
  return [async (accepted) => {
    try {
      await accepted.pass(stage);
    } catch (error) {
      if (error instanceof PeerRefused) return error.message;
      throw error;
    }
  }];
}

function hostOf(peer: Address): string | undefined {
  return isUnix(peer) ? undefined : peer.hostname;
}
