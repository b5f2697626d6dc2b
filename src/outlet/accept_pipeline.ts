/**
 * The way into an outlet: from a socket that was accepted to a connection that is served.
 *
 * @module
 */
import { type Address, addressOf, isUnix, peerOf } from "../endpoint/address.ts";
import { Connection, type Handler } from "../connection/connection.ts";
import type { ByteStream } from "../transport/stream.ts";
import { explain } from "../transport/errors.ts";
import type { Admission, Permit } from "../admission/admission.ts";
import type { AcceptedStream, TrustedProxies } from "../admission/trusted_proxies.ts";
import { ProxyHeaderError } from "../transport/proxy_protocol.ts";
import { type Capturing, tapped } from "../connection/tap.ts";
import type { OutletSettings } from "./settings.ts";
import { AcceptBatch } from "./accept_batch.ts";

/** A client that was let in: its connection, and what it holds while it stays. */
export interface AdmittedConnection {
  /** Its connection. */
  readonly connection: Connection;
  /** Its place inside the gate. */
  readonly permit: Disposable;
  /** What writes the connection down. */
  readonly capture: Capturing | undefined;
  /** What serves it. */
  readonly handler: Handler;
}

/** A client whose socket is ready to be talked over, and what is worth noting of how it got there. */
interface TlsStream {
  readonly socket: ByteStream;
  readonly notes: Readonly<Record<string, string | undefined>>;
}

/** What an entrance belongs to. */
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

/** Lets clients in, each apart from all others. */
export class AcceptPipeline implements Disposable {
  readonly #admission: Admission;
  readonly #signal: AbortSignal;
  readonly #number: () => number;
  readonly #refused: AcceptPipelineOptions["refused"];
  readonly #failed: AcceptPipelineOptions["failed"];
  readonly #batch = new AcceptBatch();

  /** An entrance of these. */
  constructor({ admission: gate, signal, number, refused, failed }: AcceptPipelineOptions) {
    this.#admission = gate;
    this.#signal = signal;
    this.#number = number;
    this.#refused = refused;
    this.#failed = failed;
  }

  /** A client's way in, stage by stage. Whoever does not get to its end is closed. */
  async accept(socket: ByteStream, terms: OutletSettings): Promise<AdmittedConnection | undefined> {
    using undo = new DisposableStack();
    undo.adopt(socket, close);
    try {
      // Without a proxy nothing is awaited: who is accepted is counted before the next one is.
      const { proxies, handler } = terms;
      const arrival = proxies ? await this.#readProxyHeader(socket, proxies) : directly(socket);
      if (arrival === undefined) return;
      const { peer, local } = arrival;
      const place = undo.use(await this.#admit(peer, terms));
      if (place.refusal !== undefined) {
        this.#refused(peer, place.refusal);
        return;
      }
      const turn = this.#batch.next();
      if (turn) await turn;
      socket.setKeepAlive(terms.keepAlive);
      const secured = await this.#secure(arrival, terms);
      if (secured === undefined) return;
      const id = this.#number();
      const capture = undo.use(await terms.capture?.(id));
      const talk = capture ? tapped(secured.socket, capture.record) : secured.socket;
      const connection = new Connection(talk, { id, peer, local });
      for (const [name, value] of Object.entries(secured.notes)) {
        if (value !== undefined) connection.note(name, value);
      }
      undo.move();
      return { connection, permit: place, capture, handler };
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Whom the proxy at the other end announces. */
  async #readProxyHeader(
    socket: ByteStream,
    proxies: TrustedProxies,
  ): Promise<AcceptedStream | undefined> {
    try {
      return await proxies.readHeader(socket, this.#signal);
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      this.#refused(peerOf(socket), error.message);
    }
  }

  /** Shakes hands, where the outlet speaks TLS. Whoever cannot is turned away. */
  async #secure(
    { socket, peer }: AcceptedStream,
    { tls }: OutletSettings,
  ): Promise<TlsStream | undefined> {
    if (!tls) return { socket, notes: {} };
    try {
      socket.setNoDelay(true);
      const { socket: secured, agreement } = await tls.accept(socket, this.#signal);
      const { protocol, alpn, subject } = agreement;
      return { socket: secured, notes: { tls: protocol, alpn, "tls-subject": subject } };
    } catch (error) {
      this.#refused(peer, `TLS: ${explain(error)}`);
    }
  }

  /** The gate's verdict; where who finds it full is to wait, the one that comes after the wait. */
  async #admit(peer: Address, { whenFull }: OutletSettings): Promise<Permit> {
    const host = isUnix(peer) ? undefined : peer.hostname;
    const signal = this.#signal;
    let verdict = this.#admission.admit(host);
    while (verdict.refusal === "full" && whenFull === "defer" && !signal.aborted) {
      await this.#admission.waitForCapacity(signal);
      verdict = this.#admission.admit(host);
    }
    return verdict;
  }

  /** To be called when nobody is on the way in. */
  [Symbol.dispose](): void {
    this.#batch[Symbol.dispose]();
  }
}

/** Who comes without a proxy: whoever sits at the other end. */
function directly(socket: ByteStream): AcceptedStream {
  return { socket, peer: peerOf(socket), local: addressOf(socket.localAddr) };
}

function close(socket: ByteStream): void {
  try {
    socket.close();
  } catch {
    // A deadline has closed it before.
  }
}
