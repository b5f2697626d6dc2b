/**
 * Between our sockets and Node's streams, for what only Node's library offers (TLS with certificates that can
 * be looked at). Both ways keep half-close, backpressure and one outstanding read.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Socket } from "./connection.ts";

/** How much is read from a socket at a time: a little over two of TLS's largest records. */
const CHUNK = 64 * 1024;

/** The socket as a stream of Node's, which closes it when it is destroyed. */
export function duplexOf(socket: Socket): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      const chunk = Buffer.allocUnsafe(CHUNK);
      socket.read(chunk).then(
        (length) => void this.push(length === null ? null : chunk.subarray(0, length)),
        (error) => void this.destroy(error),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(socket, chunk).then(() => done(), done);
    },
    final(done) {
      socket.closeWrite().then(() => done(), done);
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
}

async function writeAll(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}

/** A stream of Node's as a socket between the two ends that it is told. */
export class StreamSocket implements Socket {
  /** Our end. */
  readonly localAddr: Deno.Addr;
  /** The other end. */
  readonly remoteAddr: Deno.Addr;
  readonly #stream: Duplex;
  #rest: Uint8Array | undefined;
  #fault: Error | undefined;
  #wake: (() => void) | undefined;

  /** Takes the stream over; nobody else may read or write it. `tell` puts the stream's errors into words. */
  constructor(
    stream: Duplex,
    ends: Pick<Socket, "localAddr" | "remoteAddr">,
    tell: (error: Error) => Error = (error) => error,
  ) {
    this.#stream = stream;
    this.localAddr = ends.localAddr;
    this.remoteAddr = ends.remoteAddr;
    const wake = () => this.#wake?.();
    stream.on("readable", wake).on("end", wake).on("close", wake);
    stream.on("error", (error) => {
      this.#fault ??= tell(error);
      wake();
    });
  }

  /** What `Deno.Conn.read` promises. */
  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const chunk = this.#rest ?? (this.#stream.read() as Uint8Array | null);
      if (chunk) return this.#hand(chunk, into);
      if (this.#stream.readableEnded) return null;
      if (this.#fault) throw this.#fault;
      if (this.#stream.destroyed) throw new Deno.errors.Interrupted("the connection is closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** What `Deno.Conn.write` promises; all of the bytes are taken at once. */
  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length === 0) return 0;
    await new Promise<void>((resolve, reject) =>
      this.#stream.write(bytes, (error) => error ? reject(this.#fault ?? error) : resolve())
    );
    return bytes.length;
  }

  /** Ends our half, once everything written has gone. */
  async closeWrite(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.once(
        "close",
        () => reject(this.#fault ?? new Deno.errors.Interrupted("closed")),
      );
      this.#stream.end(() => resolve());
    });
  }

  /** Closes at once. A pending read rejects. */
  close(): void {
    this.#stream.destroy();
  }

  #hand(chunk: Uint8Array, into: Uint8Array): number {
    const length = Math.min(chunk.length, into.length);
    into.set(chunk.subarray(0, length));
    this.#rest = length < chunk.length ? chunk.subarray(length) : undefined;
    return length;
  }
}
