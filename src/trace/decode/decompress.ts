/**
 * Captures that are compressed with gzip or zstd, read as they are.
 *
 * @module
 */
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { CaptureError } from "./packet.ts";
import { isZstdMagic, ZstdFrameScanner } from "./zstd_frames.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("unpacking a capture", {
  without: "what was unpacked is read",
});

/** The magic numbers that tell how a stream is compressed: gzip's two bytes, zstd's four. */
const MAX_MAGIC_LENGTH = 4;
const GZIP_MAGIC = 0x8b1f;

/**
 * A block of zstd is at most half as long. With a block at a time, the decompressor finds what is wrong
 * in the call that it was given it in: of what it finds later, it tells nobody who could catch it.
 */
const ZSTD_CHUNK_SIZE = 256 * 1024;

/** How much is decompressed at a time, so that little input makes no heap of output. */
const INPUT_SLICE = 16 * 1024;

/**
 * Passes a stream on, decompressed where it is compressed with gzip or zstd: every member, every
 * frame. Where it is cut short, all that is there is passed on, and `onCut` is told.
 *
 * @throws {CaptureError} where the compressed data is damaged
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

/** The first bytes, as many as tell the format, in a copy of their own; and what came with them. */
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

/** gzip's members follow each other as if they were one. */
async function* gunzip(
  stream: AsyncIterable<Uint8Array>,
  onCut: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* transformed(stream, createGunzip());
  } catch (error) {
    // What is missing at the end is told; what is wrong is damage.
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

/** A stream of zstd, one frame at a time. */
class FrameSource {
  readonly #stream: AsyncGenerator<Uint8Array>;
  readonly #frames = new ZstdFrameScanner();
  #chunk = new Uint8Array();
  #at = 0;

  constructor(stream: AsyncGenerator<Uint8Array>) {
    this.#stream = stream;
  }

  /** Whether all that was read is whole frames. */
  get isWhole(): boolean {
    return this.#frames.isBetweenFrames;
  }

  /** Waits for the first byte of another frame; `false` at the end of the stream. */
  async begin(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const { done, value } = await this.#stream.next();
      if (done) return false;
      this.#chunk = value as Uint8Array<ArrayBuffer>;
      this.#at = 0;
    }
    return true;
  }

  /** The bytes of this frame, a block of it at a time. */
  async *frame(): AsyncGenerator<Uint8Array> {
    do {
      const from = this.#at;
      this.#at = this.#frames.scan(this.#chunk, from);
      yield this.#chunk.subarray(from, this.#at);
    } while (!this.#frames.isBetweenFrames && await this.begin());
  }
}

/**
 * Pushes a stream through a transform, slice by slice: each is taken, and what it has become passed
 * on, before the next one.
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

/** Writes to a transform and reads what comes of it, whichever it waits for. */
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

  /** Passes bytes in; yields all that they become. */
  async *push(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    let isTaken = false;
    this.#transform.write(bytes, (error) => {
      isTaken = true;
      if (error) this.#end(error);
      this.#wake();
    });
    yield* this.#readUntil(() => isTaken);
  }

  /** Says that there is no more; yields the rest. */
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
