/**
 * Counts the datagrams of each client address, in windows of a second.
 *
 * @module
 */
import { peerKey, readIp } from "../endpoint/ip.ts";

/** A client address (an IPv6 /64) with at least one session. */
export interface Source {
  /** What it is counted by. */
  readonly key: string;
  /** Its datagrams in this window. */
  datagrams: number;
  /** Its open sessions. */
  sessions: number;
}

/** The sources of the open sessions. The number of sessions is limited, and so is their memory. */
export class SourceRates {
  readonly #sources = new Map<string, Source>();

  /** The source of a client, with one session more. */
  enter(hostname: string): Source {
    const key = peerKey(readIp(hostname));
    let source = this.#sources.get(key);
    if (!source) this.#sources.set(key, source = { key, datagrams: 0, sessions: 0 });
    source.sessions++;
    return source;
  }

  /** Removes a session of a source. What it has sent counts until the window ends. */
  leave(source: Source): void {
    source.sessions--;
  }

  /** Starts a window, and forgets sources without sessions. */
  startWindow(): void {
    for (const [key, source] of this.#sources) {
      source.datagrams = 0;
      if (source.sessions === 0) this.#sources.delete(key);
    }
  }
}
