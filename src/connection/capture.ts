/**
 * Writes a hex dump of each connection to a file.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { BoundedWriter, type ByteSink } from "../terminal/bounded_writer.ts";
import type { Stage } from "../transport/stage.ts";
import { hexRecorder, type Recorder, tapStage } from "./tap.ts";

/** Milliseconds that a connection waits for the disk before it goes on without being captured. */
const PATIENCE = 1_000;

/** Characters of a dump that may wait for the disk. More than that is dropped and counted. */
const WAITING = 256 * 1024;

const tasks = new TaskScope("closing a capture", { consequence: "it stays open" });

/** Options of {@linkcode captureStage}. */
export interface CaptureOptions {
  /** The directory; it is created if missing. */
  readonly directory: string;
  /** The prefix of each file's name. */
  readonly name: string;
  /** The maximum size of each file in bytes. */
  readonly limit: number;
  /** Called when a file cannot be written; the connection goes on without a capture. */
  onFault(error: unknown): void;
}

/** The capture of one connection, until it is disposed. */
export interface Capturing extends Disposable {
  /** Records bytes of one direction. */
  readonly record: Recorder;
}

/**
 * A stage that writes the bytes of each connection to a file. If the file can't be opened, the
 * connection goes on without.
 */
export function captureStage(options: CaptureOptions): Stage {
  return async (stream, { id }) => {
    const capture = await openCapture(id, options);
    if (!capture) return stream;
    return tapStage(capture.record, () => capture[Symbol.dispose]())(stream);
  };
}

/** Opens the file of one connection; `undefined` if that fails. */
export async function openCapture(
  connection: number,
  { directory, name, limit, onFault }: CaptureOptions,
): Promise<Capturing | undefined> {
  const time = new Date().toISOString().replaceAll(":", "-");
  try {
    await Deno.mkdir(directory, { recursive: true });
    const path = `${directory}/${name}-${time}-${connection}.hex`;
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    const { record, taken } = captureTo(file, { limit, onFault });
    return { record, [Symbol.dispose]: () => tasks.run(taken().then(() => file.close())) };
  } catch (error) {
    onFault(error);
  }
}

/**
 * Dumps to a file that may be slow or stuck. The connection goes at the pace of the disk, but
 * waits at most `PATIENCE`. Bytes that are not written in time are counted in the dump.
 */
export function captureTo(
  file: ByteSink,
  { limit, onFault }: Pick<CaptureOptions, "limit" | "onFault">,
): { record: Recorder; taken(): Promise<void> } {
  const writer = new BoundedWriter(file, {
    limit: WAITING,
    onFault,
    notice: (count) => `… ${count} chunks are missing here: they were not written in time`,
  });
  let isLate = false;
  const write = async (text: string) => {
    writer.write(text);
    if (isLate && !writer.isIdle) return;
    isLate = !await writer.flush({ within: PATIENCE });
  };
  return { record: hexRecorder(write, { limit, onFault }), taken: () => writer.drained() };
}
