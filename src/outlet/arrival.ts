/**
 * A client on its way in, and all that it holds until it is served.
 *
 * @module
 */
import { type Address, addressOf, peerOf } from "../endpoint/address.ts";
import type { Permit } from "../admission/admission.ts";
import { Connection } from "../connection/connection.ts";
import { type Capturing, tapped } from "../connection/tap.ts";
import type { ByteStream } from "../transport/stream.ts";

/** What each stage of the way in may change. Disposing it closes all of that, unless it has become a connection. */
export class Arrival implements Disposable {
  /** What its bytes come from. */
  stream: ByteStream;
  /** The client's end. */
  peer: Address;
  /** The end that it connected to. */
  local: Address;
  /** Its place. */
  permit: Permit | undefined;
  /** What writes it down. */
  capture: Capturing | undefined;
  /** What is worth noting of how it got here. */
  readonly notes: Record<string, string | undefined> = {};
  #isConnected = false;

  /** Somebody who was just accepted. */
  constructor(stream: ByteStream) {
    this.stream = stream;
    this.peer = peerOf(stream);
    this.local = addressOf(stream.localAddr);
  }

  /** Its connection, to which what it holds belongs from now on. */
  connect(id: number): Connection {
    const { stream, peer, local, capture } = this;
    const talk = capture ? tapped(stream, capture.record) : stream;
    const connection = new Connection(talk, { id, peer, local });
    for (const [name, value] of Object.entries(this.notes)) {
      if (value !== undefined) connection.note(name, value);
    }
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
    this.capture?.[Symbol.dispose]();
    this.permit?.[Symbol.dispose]();
  }
}
