/**
 * A stage whose bytes somebody writes down. What nobody taps costs nothing: without a tap, none of this is in the path.
 *
 * @module
 */
import { type Direction, hexDump } from "./hex_dump.ts";
import { type ByteStream, wrap } from "../transport/stream.ts";

/** Writes down what goes which way; the conversation waits until it has. Must not reject. */
export type Recorder = (direction: Direction, bytes: Uint8Array) => Promise<void>;

/** Tells the recorder all that comes and goes. `closed` is called when the stream is closed. */
export function tapStage(
  record: Recorder,
  closed?: () => void,
): (stream: ByteStream) => ByteStream {
  return (stream) =>
    wrap(stream, {
      async read(into) {
        const length = await stream.read(into);
        if (length !== null) await record("<", into.subarray(0, length));
        return length;
      },
      async write(bytes) {
        const length = await stream.write(bytes);
        await record(">", bytes.subarray(0, length));
        return length;
      },
      close() {
        try {
          stream.close();
        } finally {
          closed?.();
        }
      },
    });
}

/** Bytes that are turned into text at a time: their lines are five times as long. */
const SLICE = 16 * 1024;

/**
 * Writes hex dumps of both directions, in the order in which the bytes came and went. Never more than
 * `limit` bytes of dump; `onFault` is told once when writing fails, and nothing more is written then.
 */
export function hexRecorder(
  write: (text: string) => Promise<void>,
  { limit = Infinity, onFault }: { limit?: number; onFault(error: unknown): void },
): Recorder {
  const offsets = { "<": 0, ">": 0 };
  let left = limit;
  let last = Promise.resolve();
  const dump = async (direction: Direction, bytes: Uint8Array) => {
    const at = new Date();
    for (let start = 0; start < bytes.length && left > 0; start += SLICE) {
      const slice = bytes.subarray(start, start + SLICE);
      const lines = hexDump(slice, { direction, at, offset: offsets[direction] });
      offsets[direction] += slice.length;
      // A dump is plain ASCII: as many bytes as characters.
      const part = lines.slice(0, left);
      left -= part.length;
      await write(part);
    }
  };
  return (direction, bytes) =>
    last = last.then(() => dump(direction, bytes)).catch((error) => {
      if (left > 0) onFault(error);
      left = 0;
    });
}
