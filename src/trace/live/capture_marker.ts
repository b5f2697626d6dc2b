/**
 * A packet that marks a point in a live capture: once it is seen, so is all that came before it.
 *
 * @module
 */
import { createSocket } from "node:dgram";

/** Nobody serves this port; the kernel says so with an ICMP error, which every capture takes in. */
const PORT = 1;
const LENGTH = 16;

/** Bytes as characters, to search them. */
const characters = new TextDecoder("latin1");

/** One mark. */
export class CaptureMarker {
  readonly #cookie = crypto.getRandomValues(new Uint8Array(LENGTH));
  readonly #text = characters.decode(this.#cookie);
  readonly #seen = Promise.withResolvers<boolean>();
  #tail = "";

  /** Sends it over the loopback; resolves to whether it was seen within so many milliseconds. */
  async send(within: number): Promise<boolean> {
    const socket = createSocket("udp4");
    const timer = setTimeout(() => this.#seen.resolve(false), within);
    socket.on("error", () => this.#seen.resolve(false));
    socket.send(this.#cookie, PORT, "127.0.0.1");
    try {
      return await this.#seen.promise;
    } finally {
      clearTimeout(timer);
      socket.close();
    }
  }

  /** Looks for it in the next bytes of the capture. */
  scan(chunk: Uint8Array): void {
    const text = this.#tail + characters.decode(chunk);
    if (text.includes(this.#text)) this.#seen.resolve(true);
    this.#tail = text.slice(-LENGTH);
  }
}
