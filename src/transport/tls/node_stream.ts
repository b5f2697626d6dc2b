/**
 * Adapters between byte streams and Node's streams, for `node:tls`. Half-close and backpressure
 * work in both directions. A TLS stream in Deno loses the end of its decrypted data when it is
 * paused, so it always flows, and a `FlowControl` pauses the socket below.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { CutOffError } from "../errors.ts";
import type { ByteStream } from "../stream.ts";
import type { FlowControl } from "./flow_control.ts";
import { writeAll } from "../write_all.ts";

const tasks = new TaskScope("a TLS connection", { consequence: "that connection is closed" });

/** The size of one write in bytes, a maximum TLS record: progress is known per piece. */
const WRITE_SIZE = 16 * 1024;

/** The socket as a Node stream. Destroying the stream closes the socket. */
export function duplexOf(socket: ByteStream, flowControl: FlowControl): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      tasks.run(
        readChunk(socket, flowControl).then(
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
      flowControl.take(Infinity);
      done(error);
    },
  });
}

async function readChunk(socket: ByteStream, flowControl: FlowControl): Promise<Uint8Array | null> {
  await flowControl.ready();
  const chunk = Buffer.allocUnsafe(flowControl.readSize);
  const length = await socket.read(chunk);
  if (length === null) await flowControl.end();
  return length === null ? null : chunk.subarray(0, length);
}

/** What is needed of the socket below; `write` only for no bytes, to see whether it is broken. */
export type CarrierSocket = Pick<
  ByteStream,
  "localAddr" | "remoteAddr" | "setNoDelay" | "setKeepAlive" | "write"
>;

/** Options of {@linkcode StreamSocket}. */
export interface StreamSocketOptions {
  /** The socket below, whose addresses it has. */
  readonly under: CarrierSocket;
  /** The flow control of the stream. */
  readonly flowControl: FlowControl;
  /** Converts the stream's errors. */
  explainError(error: Error): Error;
}

/** A Node stream as a byte stream. */
export class StreamSocket implements ByteStream {
  /** The local address. */
  readonly localAddr: Deno.Addr;
  /** The remote address. */
  readonly remoteAddr: Deno.Addr;
  readonly #under: CarrierSocket;
  readonly #stream: Duplex;
  readonly #flowControl: FlowControl;
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #cutOff: CutOffError | undefined;
  #fault: Error | undefined;
  #wake: (() => void) | undefined;

  /** Takes over the stream: nothing else may read or write it. */
  constructor(stream: Duplex, { under, flowControl, explainError }: StreamSocketOptions) {
    this.#stream = stream;
    this.#flowControl = flowControl;
    this.#under = under;
    this.localAddr = under.localAddr;
    this.remoteAddr = under.remoteAddr;
    stream.on(
      "data",
      tasks.guard((chunk: Uint8Array) => {
        this.#chunks.push(chunk);
        flowControl.add(chunk.length);
        this.#wake?.();
      }),
    );
    stream.on("end", tasks.guard(() => this.#end()));
    stream.on("error", tasks.guard((error: Error) => this.#fail(explainError(error))));
    const closed = () => this.#fail(new Deno.errors.Interrupted("connection closed"));
    stream.on("close", tasks.guard(closed));
  }

  /** As `Deno.Conn.read`. */
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
    this.#flowControl.take(length);
    return length;
  }

  /** As `Deno.Conn.write`: it may write only some of the bytes. No bytes are written below TLS. */
  async write(bytes: Uint8Array): Promise<number> {
    if (bytes.length === 0) return await this.#writeNothing();
    const piece = bytes.subarray(0, WRITE_SIZE);
    await this.#whenDone((done) => this.#stream.write(piece, done));
    return piece.length;
  }

  /** Fails if the connection is broken. */
  async #writeNothing(): Promise<number> {
    if (this.#fault) throw this.#fault;
    return await this.#under.write(new Uint8Array(0));
  }

  /** Ends the writing side after all writes are flushed. */
  async closeWrite(): Promise<void> {
    await this.#whenDone((done) => this.#stream.end(done));
  }

  /** Closes at once. Pending reads and writes reject. */
  close(): void {
    this.#stream.destroy();
  }

  /** Sets `TCP_NODELAY` on the socket below. */
  setNoDelay(on?: boolean): void {
    this.#under.setNoDelay(on);
  }

  /** Sets `SO_KEEPALIVE` on the socket below. */
  setKeepAlive(on?: boolean): void {
    this.#under.setKeepAlive(on);
  }

  async #whenDone(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#fault) throw this.#fault;
    await new Promise<void>((resolve, reject) => {
      const onClose = tasks.guard(() => reject(this.#fault));
      this.#stream.once("close", onClose);
      act((error) => {
        this.#stream.off("close", onClose);
        if (error) reject(this.#fault ?? error);
        else resolve();
      });
    });
  }

  /**
   * Without a `close_notify`, the end is an error (RFC 8446, section 6.1): anyone can send a FIN.
   */
  #end(): void {
    if (this.#flowControl.isCutOff) {
      this.#cutOff = new CutOffError("the peer closed TCP without close_notify");
    }
    this.#flowControl.hasEnded = this.#ended = true;
    this.#wake?.();
  }

  #fail(fault: Error): void {
    this.#fault ??= fault;
    this.#wake?.();
  }
}
