/**
 * The tap: a stage that records the bytes of both directions. Without a tap, nothing of it is in
 * the path.
 *
 * @module
 */
import { type Direction, hexDump } from "./hex_dump.ts";
import { type ByteStream, wrap } from "../transport/stream.ts";

/** Records bytes. The stream waits for it. It must not reject. */
export type Recorder = (direction: Direction, bytes: Uint8Array) => Promise<void>;

/** The stage that records all bytes. `closed` is called when the stream is closed. */
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

/** Bytes that are formatted at a time; the dump is five times as long. */
const SLICE = 16 * 1024;

/**
 * Writes hex dumps of both directions in order, at most `limit` bytes. After a failed write it
 * calls `onFault` once and records no more.
 */
export function hexRecorder(
  write: (text: string) => Promise<void>,
  { limit = Infinity, label = "", onFault }: {
    limit?: number;
    /** What each line begins with. */
    label?: string;
    onFault(error: unknown): void;
  },
): Recorder {
  const offsets = { "<": 0, ">": 0 };
  let left = limit;
  let last = Promise.resolve();
  const dump = async (direction: Direction, bytes: Uint8Array) => {
    const at = new Date();
    for (let start = 0; start < bytes.length && left > 0; start += SLICE) {
      const slice = bytes.subarray(start, start + SLICE);
      const lines = hexDump(slice, { direction, at, offset: offsets[direction], label });
      offsets[direction] += slice.length;
      // The dump is ASCII: one byte for each character.
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
