/**
 * The way into an outlet: from a socket that was accepted to a connection that is served, stage by stage.
 *
 * @module
 */
import { type Address, isUnix } from "../endpoint/address.ts";
import type { Connection, Handler } from "../connection/connection.ts";
import type { ByteStream } from "../transport/stream.ts";
import { explain } from "../transport/errors.ts";
import type { Admission, Permit } from "../admission/admission.ts";
import { readProxyHeader } from "../admission/trusted_proxies.ts";
import { ProxyHeaderError } from "../transport/proxy_protocol.ts";
import type { Capturing } from "../connection/tap.ts";
import type { TlsAcceptor } from "../transport/tls/acceptor.ts";
import type { OutletSettings } from "./settings.ts";
import { AcceptBatch } from "./accept_batch.ts";
import { Arrival } from "./arrival.ts";

/** A client that was let in: its connection, and what it holds while it stays. */
export interface AdmittedConnection {
  /** Its connection. */
  readonly connection: Connection;
  /** Its place. */
  readonly permit: Disposable;
  /** What writes the connection down. */
  readonly capture: Capturing | undefined;
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

/** Why a client is turned away; nothing, where it goes on to the next stage. */
type Outcome = string | undefined;

/** One step of the way in, which changes what it has to of the arrival. */
type Stage = (arrival: Arrival) => Outcome | Promise<Outcome>;

/** Lets clients in, each apart from all others. */
export class AcceptPipeline implements Disposable {
  readonly #options: AcceptPipelineOptions;
  readonly #batch = new AcceptBatch();
  #settings: OutletSettings | undefined;
  #stages: readonly Stage[] = [];

  /** A pipeline of these. */
  constructor(options: AcceptPipelineOptions) {
    this.#options = options;
  }

  /** A client's way in. Whoever does not get to its end is closed. */
  async accept(
    stream: ByteStream,
    settings: OutletSettings,
  ): Promise<AdmittedConnection | undefined> {
    if (settings !== this.#settings) this.#stages = this.#stagesFor(settings);
    this.#settings = settings;
    using arrival = new Arrival(stream);
    try {
      for (const stage of this.#stages) {
        const outcome = stage(arrival);
        // What need not wait does not: who is accepted is counted before the next one is.
        const refusal = outcome instanceof Promise ? await outcome : outcome;
        if (refusal !== undefined) return void this.#options.refused(arrival.peer, refusal);
      }
      const id = this.#options.number();
      if (settings.capture) arrival.capture = await settings.capture(id);
      const { permit, capture } = arrival;
      return {
        connection: arrival.connect(id),
        permit: permit!,
        capture,
        handler: settings.handler,
      };
    } catch (error) {
      this.#options.failed(error);
    }
  }

  /**
   * The stages that these settings ask for. From the first on a client is counted, and the header and the handshake have
   * a deadline each; without one is only who waits for a place, and that is one client of an outlet at a time.
   */
  #stagesFor({ proxies, whenFull, keepAlive, tls }: OutletSettings): Stage[] {
    const { admission, signal } = this.#options;
    const takePlace = (take: (arrival: Arrival) => Permit): Stage => (arrival) =>
      seat(arrival, { take, admission: whenFull === "defer" ? admission : undefined, signal });
    return [
      ...proxies
        ? [
          ({ peer }: Arrival) => proxies.trusts(peer) ? undefined : "not a trusted proxy",
          takePlace(() => admission.reserve()),
          (arrival: Arrival) => identify(arrival, signal),
        ]
        : [takePlace(({ peer }) => admission.admit(hostOf(peer)))],
      () => this.#batch.next()?.then(() => undefined),
      ({ stream }) => void stream.setKeepAlive(keepAlive),
      ...tls ? [(arrival: Arrival) => secure(arrival, { tls, signal })] : [],
    ];
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
  { take, admission, signal }: {
    take(arrival: Arrival): Permit;
    admission: Admission | undefined;
    signal: AbortSignal;
  },
): Outcome | Promise<Outcome> {
  arrival.permit = take(arrival);
  const { refusal } = arrival.permit;
  if (refusal !== "full" || !admission || signal.aborted) return refusal;
  return admission.waitForCapacity(signal).then(() => seat(arrival, { take, admission, signal }));
}

/** Reads whom the proxy at the other end announces, and judges them. */
async function identify(arrival: Arrival, signal: AbortSignal): Promise<Outcome> {
  try {
    const { stream, ends } = await readProxyHeader(arrival.stream, signal);
    arrival.stream = stream;
    arrival.peer = ends?.source ?? arrival.peer;
    arrival.local = ends?.destination ?? arrival.local;
  } catch (error) {
    if (error instanceof ProxyHeaderError) return error.message;
    throw error;
  }
  return arrival.permit!.identify(hostOf(arrival.peer));
}

/** Shakes hands. */
async function secure(
  arrival: Arrival,
  { tls, signal }: { tls: TlsAcceptor; signal: AbortSignal },
): Promise<Outcome> {
  try {
    arrival.stream.setNoDelay(true);
    const { socket, agreement } = await tls.accept(arrival.stream, signal);
    arrival.stream = socket;
    const { protocol, alpn, subject } = agreement;
    Object.assign(arrival.notes, { tls: protocol, alpn, "tls-subject": subject });
  } catch (error) {
    return `TLS: ${explain(error)}`;
  }
}

function hostOf(peer: Address): string | undefined {
  return isUnix(peer) ? undefined : peer.hostname;
}
