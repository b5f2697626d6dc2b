/**
 * Between our sockets and Node's streams, for what only Node's library offers (TLS with certificates that can
 * be looked at). Half-close and backpressure come through both ways.
 *
 * Backpressure does not go through the stream in the middle: Deno's TLS stream loses the end of what it decrypted
 * while it was paused. That stream always flows, and a {@linkcode FlowControl} holds back the socket beneath it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { ByteStream } from "../stream.ts";

/** How much is read from a socket at a time: a little over three of TLS's largest records. */
const CHUNK = 64 * 1024;

/** Bytes that may wait to be read before the socket beneath is held back. */
const ENOUGH = 256 * 1024;

/** Holds back whoever brings bytes while too many of them wait to be read. */
export class FlowControl {
  #waiting = 0;
  #open: (() => void) | undefined;

  /** Counts bytes that came. */
  add(bytes: number): void {
    this.#waiting += bytes;
  }

  /** Counts bytes that were read. */
  take(bytes: number): void {
    this.#waiting -= bytes;
    if (this.#waiting < ENOUGH) this.#open?.();
  }

  /** Resolves when more may come. */
  async ready(): Promise<void> {
    if (this.#waiting < ENOUGH) return;
    await new Promise<void>((resolve) => this.#open = resolve);
  }
}

/** The socket as a stream of Node's, which closes it when it is destroyed. */
export function duplexOf(socket: ByteStream, valve: FlowControl): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      readChunk(socket, valve).then(
        (chunk) => void this.push(chunk),
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
      valve.take(Infinity);
      done(error);
    },
  });
}

async function readChunk(socket: ByteStream, valve: FlowControl): Promise<Uint8Array | null> {
  await valve.ready();
  const chunk = Buffer.allocUnsafe(CHUNK);
  const length = await socket.read(chunk);
  return length === null ? null : chunk.subarray(0, length);
}

async function writeAll(socket: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}

/** What a stream is between. */
export interface StreamSocketOptions {
  /** The stream that it goes over, whose ends are its ends. */
  readonly under: ByteStream;
  /** Holds back what comes into the stream. */
  readonly valve: FlowControl;
  /** Puts the stream's errors into words. */
  tell(error: Error): Error;
}

/** A stream of Node's as a socket. */
export class StreamSocket implements ByteStream {
  /** Our end. */
  readonly localAddr: Deno.Addr;
  /** The other end. */
  readonly remoteAddr: Deno.Addr;
  readonly #under: ByteStream;
  readonly #stream: Duplex;
  readonly #valve: FlowControl;
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #fault: Error | undefined;
  #wake: (() => void) | undefined;

  /** Takes the stream over: nobody else may read or write it. */
  constructor(stream: Duplex, { under, valve, tell }: StreamSocketOptions) {
    this.#stream = stream;
    this.#valve = valve;
    this.#under = under;
    this.localAddr = under.localAddr;
    this.remoteAddr = under.remoteAddr;
    stream.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      valve.add(chunk.length);
      this.#wake?.();
    });
    stream.on("end", () => {
      this.#ended = true;
      this.#wake?.();
    });
    stream.on("error", (error) => this.#fail(tell(error)));
    stream.on("close", () => this.#fail(new Deno.errors.Interrupted("the connection is closed")));
  }

  /** What `Deno.Conn.read` promises. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return null;
      if (this.#fault) throw this.#fault;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks[0]!;
    const length = Math.min(chunk.length, into.length);
    into.set(chunk.subarray(0, length));
    if (length < chunk.length) this.#chunks[0] = chunk.subarray(length);
    else this.#chunks.shift();
    this.#valve.take(length);
    return length;
  }

  /** What `Deno.Conn.write` promises; all of the bytes are taken at once. */
  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length === 0) return 0;
    await this.#whenDone((done) => this.#stream.write(bytes, done));
    return bytes.length;
  }

  /** Ends our half, once everything written has gone. */
  async closeWrite(): Promise<void> {
    await this.#whenDone((done) => this.#stream.end(done));
  }

  /** Closes at once. Pending reads and writes reject. */
  close(): void {
    this.#stream.destroy();
  }

  /** Lets small writes leave at once, beneath. */
  setNoDelay(on?: boolean): void {
    this.#under.setNoDelay(on);
  }

  /** Lets the kernel probe a silent peer, beneath. */
  setKeepAlive(on?: boolean): void {
    this.#under.setKeepAlive(on);
  }

  async #whenDone(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#fault) throw this.#fault;
    await new Promise<void>((resolve, reject) => {
      const gone = () => reject(this.#fault);
      this.#stream.once("close", gone);
      act((error) => {
        this.#stream.off("close", gone);
        if (error) reject(this.#fault ?? error);
        else resolve();
      });
    });
  }

  #fail(fault: Error): void {
    this.#fault ??= fault;
    this.#wake?.();
  }
}
