/**
 * Decompresses captures in gzip (RFC 1952) or zstd (RFC 8878) format.
 *
 * @module
 */
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { CaptureError } from "./packet.ts";
import { isZstdMagic, ZstdFrameScanner } from "./zstd_frames.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("unpacking a capture", {
  consequence: "what was unpacked is read",
});

/** Length of the longest magic number: two bytes for gzip, four for zstd. */
const MAX_MAGIC_LENGTH = 4;
const GZIP_MAGIC = 0x8b1f;

/**
 * Output buffer size, twice the largest zstd block. With one block per call, Node's zstd stream
 * reports an error in the write that caused it; later errors would reach no handler.
 */
const ZSTD_CHUNK_SIZE = 256 * 1024;

/** Bytes of input per write, which bounds the output buffered for a high compression ratio. */
const INPUT_SLICE = 16 * 1024;

/**
 * Decompresses a gzip or zstd stream, all members or frames; other streams are passed on unchanged.
 * Calls `onCut` if the compressed data is truncated.
 *
 * @throws {CaptureError} if the compressed data is damaged
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  onCut: (format: "gzip" | "zstd") => void,
): AsyncGenerator<Uint8Array> {
  const input = chunks[Symbol.asyncIterator]();
  const { head, rest } = await readHead(input);
  const stream = joined(head, rest, input);
  const view = new DataView(head.buffer, head.byteOffset);
  const isGzip = head.length >= 2 && view.getUint16(0, true) === GZIP_MAGIC;
  const isZstd = head.length >= 4 && isZstdMagic(view.getUint32(0, true));
  if (isGzip) yield* gunzip(stream, () => onCut("gzip"));
  else if (isZstd) yield* unzstd(stream, () => onCut("zstd"));
  else yield* stream;
}

/** Reads the first four bytes (a copy), and the rest of the chunk that they were in. */
async function readHead(
  input: AsyncIterator<Uint8Array>,
): Promise<{ head: Uint8Array<ArrayBuffer>; rest: Uint8Array }> {
  let head = new Uint8Array();
  while (head.length < MAX_MAGIC_LENGTH) {
    const { done, value } = await input.next();
    if (done) break;
    const wanted = MAX_MAGIC_LENGTH - head.length;
    head = Uint8Array.from([...head, ...value.subarray(0, wanted)]);
    if (value.length > wanted) return { head, rest: value.subarray(wanted) };
  }
  return { head, rest: new Uint8Array() };
}

async function* joined(
  head: Uint8Array,
  rest: Uint8Array,
  input: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  if (rest.length > 0) yield rest;
  for (let next = await input.next(); !next.done; next = await input.next()) yield next.value;
}

/** Concatenated gzip members are decompressed as one stream (RFC 1952, 2.2). */
async function* gunzip(
  stream: AsyncIterable<Uint8Array>,
  onCut: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* transformed(stream, createGunzip());
  } catch (error) {
    if (!isUnexpectedEnd(error)) throw damagedError("gzip", error);
    onCut();
  }
}

function isUnexpectedEnd(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR";
}

async function* unzstd(
  stream: AsyncGenerator<Uint8Array>,
  onCut: () => void,
): AsyncGenerator<Uint8Array> {
  const source = new FrameSource(stream);
  while (await source.begin()) {
    try {
      yield* transformed(source.frame(), createZstdDecompress({ chunkSize: ZSTD_CHUNK_SIZE }));
    } catch (error) {
      throw damagedError("zstd", error);
    }
  }
  if (!source.isWhole) onCut();
}

/** Splits a zstd stream into frames. */
class FrameSource {
  readonly #stream: AsyncGenerator<Uint8Array>;
  readonly #frames = new ZstdFrameScanner();
  #chunk = new Uint8Array();
  #at = 0;

  constructor(stream: AsyncGenerator<Uint8Array>) {
    this.#stream = stream;
  }

  /** Whether the stream ended at the end of a frame. */
  get isWhole(): boolean {
    return this.#frames.isBetweenFrames;
  }

  /** Waits for the next frame; `false` at the end of the stream. */
  async begin(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const { done, value } = await this.#stream.next();
      if (done) return false;
      this.#chunk = value as Uint8Array<ArrayBuffer>;
      this.#at = 0;
    }
    return true;
  }

  /** Yields the bytes of one frame, block by block. */
  async *frame(): AsyncGenerator<Uint8Array> {
    do {
      const from = this.#at;
      this.#at = this.#frames.scan(this.#chunk, from);
      yield this.#chunk.subarray(from, this.#at);
    } while (!this.#frames.isBetweenFrames && await this.begin());
  }
}

/**
 * Pipes a stream through a Node transform in slices: all output of a slice is yielded before the
 * next slice is written.
 */
async function* transformed(
  input: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array> {
  const pump = new TransformPump(transform);
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; at += INPUT_SLICE) {
        yield* pump.push(chunk.subarray(at, at + INPUT_SLICE));
      }
    }
    yield* pump.end();
  } finally {
    transform.destroy();
  }
}

/** Writes to a Node transform and reads its output. */
class TransformPump {
  readonly #transform: Transform;
  #hasEnded = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(transform: Transform) {
    this.#transform = transform;
    transform.on("readable", tasks.guard(() => this.#wake()));
    transform.on("end", tasks.guard(() => this.#end()));
    transform.on("error", tasks.guard((error: Error) => this.#end(error)));
  }

  /** Writes bytes and yields the output that they produce. */
  async *push(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    let isTaken = false;
    this.#transform.write(bytes, (error) => {
      isTaken = true;
      if (error) this.#end(error);
      this.#wake();
    });
    yield* this.#readUntil(() => isTaken);
  }

  /** Ends the input and yields the remaining output. */
  async *end(): AsyncGenerator<Uint8Array> {
    this.#transform.end();
    yield* this.#readUntil(() => this.#hasEnded);
  }

  async *#readUntil(isDone: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const wait = new Promise<void>((resolve) => this.#wake = resolve);
      const wasDone = isDone();
      for (let chunk = this.#transform.read(); chunk !== null; chunk = this.#transform.read()) {
        yield chunk;
      }
      if (this.#error !== undefined) throw this.#error;
      if (wasDone || this.#hasEnded) return;
      await wait;
    }
  }

  #end(error?: Error): void {
    this.#error ??= error;
    this.#hasEnded = true;
    this.#wake();
  }
}

function damagedError(format: string, error: unknown): CaptureError {
  const { message } = error as Error;
  return new CaptureError(`the ${format} data is damaged: ${message}`);
}
