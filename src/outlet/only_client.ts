/**
 * `once`: an outlet that serves the first client that it admits, and no other.
 *
 * @module
 */
import { peerOf } from "../endpoint/address.ts";
import { sendReset } from "../transport/reset.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { OutletEvents } from "./outlet_events.ts";

/** The client that an outlet with `once` serves. */
export class OnlyClient {
  #candidate: Promise<void> | undefined;
  #isAdmitted = false;

  /** Whether a client was admitted. */
  get isAdmitted(): boolean {
    return this.#isAdmitted;
  }

  /** Resolves when it is known whether the client in the accept pipeline is admitted. */
  get decided(): Promise<void> | undefined {
    return this.#candidate;
  }

  /**
   * A client is in the accept pipeline. Others wait in the kernel's accept queue: one that does not
   * complete its handshake is not served, and the next one is a candidate.
   */
  async consider<T>(admission: Promise<T | undefined>): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#candidate = promise;
    try {
      const admitted = await admission;
      this.#isAdmitted ||= admitted !== undefined;
      return admitted;
    } finally {
      this.#candidate = undefined;
      resolve();
    }
  }

  /** Refuses a later client with a RST, if the system can send one. */
  refuse(stream: ByteStream, events: Pick<OutletEvents, "refused">): void {
    events.refused(peerOf(stream), "only one client is served");
    sendReset(stream);
    stream.close();
  }
}
