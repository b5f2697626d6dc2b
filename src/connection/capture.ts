/**
 * Each connection written down in a file of its own.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { BoundedWriter, type ByteSink } from "../terminal/bounded_writer.ts";
import type { Stage } from "../transport/stage.ts";
import { hexRecorder, type Recorder, tapStage } from "./tap.ts";

/** How long a conversation waits for the disk before it goes on without being captured, in milliseconds. */
const PATIENCE = 1_000;

/** Characters of a dump that wait for the disk; what comes then is not captured, and counted. */
const WAITING = 256 * 1024;

const tasks = new TaskScope("closing a capture", { without: "it stays open" });

/** Where, under which name, and how much. */
export interface CaptureOptions {
  /** The folder; it is made where it is not there. */
  readonly folder: string;
  /** What each file's name begins with. */
  readonly name: string;
  /** The most bytes of each file. */
  readonly limit: number;
  /** Told when a file cannot be written; the connection goes on without. */
  onFault(error: unknown): void;
}

/** What writes one connection down, until it is disposed. */
export interface Capturing extends Disposable {
  /** Takes what goes which way. */
  readonly record: Recorder;
}

/** Writes each connection down until it is closed; one whose file cannot be had goes on without. */
export function captureStage(options: CaptureOptions): Stage {
  return async (stream, { id }) => {
    const capture = await openCapture(id, options);
    if (!capture) return stream;
    return tapStage(capture.record, () => capture[Symbol.dispose]())(stream);
  };
}

/** Opens the file of one connection; `undefined` where it cannot be had. */
export async function openCapture(
  connection: number,
  { folder, name, limit, onFault }: CaptureOptions,
): Promise<Capturing | undefined> {
  const time = new Date().toISOString().replaceAll(":", "-");
  try {
    await Deno.mkdir(folder, { recursive: true });
    const path = `${folder}/${name}-${time}-${connection}.hex`;
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    const { record, taken } = captureTo(file, { limit, onFault });
    return { record, [Symbol.dispose]: () => tasks.run(taken().then(() => file.close())) };
  } catch (error) {
    onFault(error);
  }
}

/**
 * Dumps into a file that may be slow or stuck: a conversation goes at its pace, but waits for it no longer than a
 * moment. What is missing then is counted in the dump, once it goes on.
 */
export function captureTo(
  file: ByteSink,
  { limit, onFault }: Pick<CaptureOptions, "limit" | "onFault">,
): { record: Recorder; taken(): Promise<void> } {
  const writer = new BoundedWriter(file, {
    limit: WAITING,
    onFault,
    notice: (count) => `… ${count} pieces of the conversation are missing here: not taken in time`,
  });
  let isLate = false;
  const write = async (text: string) => {
    writer.write(text);
    if (isLate && !writer.isIdle) return;
    isLate = !await writer.flush({ within: PATIENCE });
  };
  return { record: hexRecorder(write, { limit, onFault }), taken: () => writer.drained() };
}
