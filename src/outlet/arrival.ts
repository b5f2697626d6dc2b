/**
 * A client on its way in, and all that it holds until it is served.
 *
 * @module
 */
import { type Address, addressOf, peerOf } from "../endpoint/address.ts";
import type { Permit } from "../admission/admission.ts";
import { Connection } from "../connection/connection.ts";
import type { Stage, StageContext } from "../transport/stage.ts";
import type { ByteStream } from "../transport/stream.ts";

/** What each step of the way in may change. Disposing it closes all of that, unless it has become a connection. */
export class Arrival implements StageContext, Disposable {
  /** Its number, once it is let in. */
  id = 0;
  /** What its bytes come from. */
  stream: ByteStream;
  /** The client's end. */
  peer: Address;
  /** The end that it connected to. */
  local: Address;
  /** Its place. */
  permit: Permit | undefined;
  /** Aborted when nobody is to come in any more. */
  readonly signal: AbortSignal;
  readonly #notes: Record<string, string | number> = {};
  #isConnected = false;

  /** Somebody who was just accepted. */
  constructor(stream: ByteStream, signal: AbortSignal) {
    this.stream = stream;
    this.signal = signal;
    this.peer = peerOf(stream);
    this.local = addressOf(stream.localAddr);
  }

  /** Notes what is worth noting of how it got here. */
  note(name: string, value: string | number | undefined): void {
    if (value !== undefined) this.#notes[name] = value;
  }

  /** Takes its stream through a stage. */
  async pass(stage: Stage): Promise<void> {
    this.stream = await stage(this.stream, this);
  }

  /** Its connection, to which what it holds belongs from now on. */
  connect(): Connection {
    const { id, peer, local } = this;
    const connection = new Connection(this.stream, { id, peer, local });
    for (const [name, value] of Object.entries(this.#notes)) connection.note(name, value);
    this.#isConnected = true;
    return connection;
  }

  /** Turns it away. */
  [Symbol.dispose](): void {
    if (this.#isConnected) return;
    try {
      this.stream.close();
    } catch {
      // A deadline has closed it before.
    }
    this.permit?.[Symbol.dispose]();
  }
}
