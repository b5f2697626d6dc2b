/**
 * An accepted connection in the accept pipeline, and the resources that it holds.
 *
 * @module
 */
import { type Address, addressOf, peerOf } from "../endpoint/address.ts";
import type { Permit } from "../admission/admission.ts";
import { Connection } from "../connection/connection.ts";
import type { Stage, StageContext } from "../transport/stage.ts";
import type { ByteStream } from "../transport/stream.ts";

/**
 * The state that the steps of the pipeline change. Disposing it closes everything, unless it has
 * become a connection.
 */
export class AcceptedStream implements StageContext, Disposable {
  /** Its connection id, once it is admitted. */
  id = 0;
  /** Its stream, as the last stage returned it. */
  stream: ByteStream;
  /** The client's address. */
  peer: Address;
  /** The address that it connected to. */
  local: Address;
  /** Whether its slot is counted for the client's address. */
  isIdentified = false;
  /** Its slot. */
  permit: Permit | undefined;
  /** Aborted when no more connections are admitted. */
  readonly signal: AbortSignal;
  readonly #notes: Record<string, string | number> = {};
  #connection: Connection | undefined;

  /** A connection that was just accepted. */
  constructor(stream: ByteStream, signal: AbortSignal) {
    this.stream = stream;
    this.signal = signal;
    this.peer = peerOf(stream);
    this.local = addressOf(stream.localAddr);
  }

  /** Adds a note for the events of the connection, also once it is open. */
  note(name: string, value: string | number | undefined): void {
    if (value === undefined) return;
    if (this.#connection) this.#connection.note(name, value);
    else this.#notes[name] = value;
  }

  /** Applies a stage to its stream. */
  async pass(stage: Stage): Promise<void> {
    this.stream = await stage(this.stream, this);
  }

  /** Turns it into a connection, which takes over its resources. */
  connect({ crlf = false }: { crlf?: boolean | undefined } = {}): Connection {
    const { id, peer, local } = this;
    const connection = new Connection(this.stream, { id, peer, local, crlf });
    for (const [name, value] of Object.entries(this.#notes)) connection.note(name, value);
    this.#connection = connection;
    return connection;
  }

  /** Closes it, unless it has become a connection. */
  [Symbol.dispose](): void {
    if (this.#connection) return;
    try {
      this.stream.close();
    } catch {
      // Already closed by a deadline.
    }
    this.permit?.[Symbol.dispose]();
  }
}
