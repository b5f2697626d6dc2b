/**
 * Each connection written down in a file of its own.
 *
 * @module
 */
import { type Capturing, hexRecorder } from "./tap.ts";

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
    return {
      record: hexRecorder((text) => writeText(file, text), { limit, onFault }),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    onFault(error);
  }
}

async function writeText(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
}
