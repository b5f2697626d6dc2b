/**
 * Sends a marker packet to find out when a live capture has caught up.
 *
 * @module
 */
import { createSocket } from "node:dgram";

/** An unused UDP port; the kernel answers with an ICMP error, which every capture filter admits. */
const PORT = 1;
const LENGTH = 16;

/** Decodes bytes one to one, for searching. */
const characters = new TextDecoder("latin1");

/** One marker packet. */
export class CaptureMarker {
  readonly #cookie = crypto.getRandomValues(new Uint8Array(LENGTH));
  readonly #text = characters.decode(this.#cookie);
  readonly #seen = Promise.withResolvers<boolean>();
  #tail = "";

  /** Sends the marker over loopback; `false` if it is not captured within `within` milliseconds. */
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

  /** Searches the next bytes of the capture for the marker. */
  scan(chunk: Uint8Array): void {
    const text = this.#tail + characters.decode(chunk);
    if (text.includes(this.#text)) this.#seen.resolve(true);
    this.#tail = text.slice(-LENGTH);
  }
}
