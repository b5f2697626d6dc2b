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
import { nextTurn } from "../../scheduling/turn_budget.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { CutOffError } from "../errors.ts";
import type { ByteStream } from "../stream.ts";
import { writeAll } from "../write_all.ts";

const tasks = new TaskScope("a TLS connection", { without: "that connection is closed" });

/** How much is written at a time, one of TLS's largest records: what of it is taken is known piece by piece. */
const PIECE = 16 * 1024;

/** How much is read from a socket at a time: a little over three of TLS's largest records. */
const CHUNK = 64 * 1024;

/** Bytes that may wait to be read before the socket beneath is held back. */
const ENOUGH = 256 * 1024;

/**
 * Holds back whoever brings bytes while too many of them wait to be read, and tells the stream above how the one below
 * has ended.
 */
export class FlowControl {
  /** Whether the stream above has ended by itself: the other end said that nothing more comes. */
  hasEnded = false;
  /** Whether the one below ended before that: bytes may be missing. */
  isCutOff = false;
  readonly #isBelowTls: boolean;
  #waiting = 0;
  #open: (() => void) | undefined;

  /** For a stream with TLS above it, unless it is said that there is none. */
  constructor({ belowTls = true }: { belowTls?: boolean } = {}) {
    this.#isBelowTls = belowTls;
  }

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

  /** Notes that the stream below has ended, once what came before is decrypted: that takes a turn. */
  async end(): Promise<void> {
    if (!this.#isBelowTls) return;
    await nextTurn();
    await nextTurn();
    this.isCutOff = !this.hasEnded;
  }
}

/** The socket as a stream of Node's, which closes it when it is destroyed. */
export function duplexOf(socket: ByteStream, valve: FlowControl): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      tasks.run(
        readChunk(socket, valve).then(
          (chunk) => void this.push(chunk),
          (error) => void this.destroy(error),
        ),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      tasks.run(writeAll(socket, chunk).then(() => done(), done));
    },
    final(done) {
      tasks.run(socket.closeWrite().then(() => done(), done));
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
  if (length === null) await valve.end();
  return length === null ? null : chunk.subarray(0, length);
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
  #cutOff: CutOffError | undefined;
  #fault: Error | undefined;
  #wake: (() => void) | undefined;

  /** Takes the stream over: nobody else may read or write it. */
  constructor(stream: Duplex, { under, valve, tell }: StreamSocketOptions) {
    this.#stream = stream;
    this.#valve = valve;
    this.#under = under;
    this.localAddr = under.localAddr;
    this.remoteAddr = under.remoteAddr;
    stream.on(
      "data",
      tasks.guard((chunk: Uint8Array) => {
        this.#chunks.push(chunk);
        valve.add(chunk.length);
        this.#wake?.();
      }),
    );
    stream.on("end", tasks.guard(() => this.#end()));
    stream.on("error", tasks.guard((error: Error) => this.#fail(tell(error))));
    const closed = () => this.#fail(new Deno.errors.Interrupted("the connection is closed"));
    stream.on("close", tasks.guard(closed));
  }

  /** What `Deno.Conn.read` promises. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#cutOff) throw this.#cutOff;
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

  /** What `Deno.Conn.write` promises: some of the bytes. */
  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length === 0) return 0;
    const piece = bytes.subarray(0, PIECE);
    await this.#whenDone((done) => this.#stream.write(piece, done));
    return piece.length;
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
      const gone = tasks.guard(() => reject(this.#fault));
      this.#stream.once("close", gone);
      act((error) => {
        this.#stream.off("close", gone);
        if (error) reject(this.#fault ?? error);
        else resolve();
      });
    });
  }

  /** The end is one only where the other end said so (RFC 8446, section 6.1): TCP's FIN can be anybody's. */
  #end(): void {
    if (this.#valve.isCutOff) {
      this.#cutOff = new CutOffError("the peer closed TCP without ending TLS");
    }
    this.#valve.hasEnded = this.#ended = true;
    this.#wake?.();
  }

  #fail(fault: Error): void {
    this.#fault ??= fault;
    this.#wake?.();
  }
}
