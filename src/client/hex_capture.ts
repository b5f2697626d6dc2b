/**
 * Writes a client's traffic to files: received bytes, or a hex dump of both directions.
 *
 * @module
 */
import type { ClientOptions } from "../config/client_config.ts";
import { UsageError } from "../options/usage_error.ts";
import type { ByteStream } from "../transport/stream.ts";
import { explain } from "../transport/errors.ts";
import { writeAll } from "../transport/write_all.ts";
import { hexRecorder, type Recorder, tapStage } from "../connection/tap.ts";

/** An open file. */
interface OpenFile {
  readonly path: string;
  readonly file: Deno.FsFile;
  /** Whether it was created here. */
  readonly isNew: boolean;
}

/**
 * The output files of a client. They are opened before connecting and truncated after it, so that a failed connect
 * leaves existing files unchanged and removes new ones. Disposing it closes them.
 */
export class HexCapture implements Disposable {
  readonly #files: OpenFile[] = [];
  readonly #recorders: Recorder[] = [];
  #hasBegun = false;
  #fault: Error | undefined;

  /**
   * Opens the files that the options name.
   *
   * @throws {UsageError} which says which file cannot be opened
   */
  static async open(
    options: Pick<ClientOptions, "output" | "hex-dump">,
    { print }: { print(text: string): Promise<void> },
  ): Promise<HexCapture> {
    const capture = new HexCapture();
    const { output, "hex-dump": dump } = options;
    const failed = (name: string) => (error: unknown) => {
      capture.#fault ??= new Error(`cannot write to ${name}: ${explain(error)}`, { cause: error });
    };
    try {
      if (output !== undefined) {
        const file = await capture.#open(output, "--output");
        capture.#recorders.push(rawRecorder(file, failed(output)));
      }
      if (dump !== undefined) {
        const write = dump === "-" ? print : textWriter(await capture.#open(dump, "--hex-dump"));
        capture.#recorders.push(hexRecorder(write, { onFault: failed(dump) }));
      }
      return capture;
    } catch (error) {
      capture[Symbol.dispose]();
      throw error;
    }
  }

  /** Truncates the files, once connected. */
  async begin(): Promise<void> {
    this.#hasBegun = true;
    for (const { file, isNew } of this.#files) {
      if (!isNew && (await file.stat()).isFile) await file.truncate();
    }
  }

  /** The socket with a tap that writes to the files. A failed write fails the connection. */
  of(socket: ByteStream): ByteStream {
    const { recorder } = this;
    return recorder ? tapStage(recorder)(socket) : socket;
  }

  /** Writes bytes to the files, and throws if that failed; `undefined` if there are no files. */
  get recorder(): Recorder | undefined {
    if (this.#recorders.length === 0) return undefined;
    return async (direction, bytes) => {
      for (const record of this.#recorders) await record(direction, bytes);
      if (this.#fault) throw this.#fault;
    };
  }

  /** Closes the files, and removes new ones if there was no connection. */
  [Symbol.dispose](): void {
    for (const { path, file, isNew } of this.#files.splice(0)) {
      file.close();
      if (isNew && !this.#hasBegun) Deno.removeSync(path);
    }
  }

  async #open(path: string, option: string): Promise<Deno.FsFile> {
    try {
      const isNew = await Deno.lstat(path).then(() => false, () => true);
      const file = await Deno.open(path, { write: true, create: true });
      this.#files.push({ path, file, isNew });
      return file;
    } catch (cause) {
      throw new UsageError(`${option} ${path}: cannot write: ${explain(cause)}`);
    }
  }
}

function textWriter(file: Deno.FsFile): (text: string) => Promise<void> {
  const encoder = new TextEncoder();
  return (text) => writeAll(file, encoder.encode(text));
}

function rawRecorder(file: Deno.FsFile, onFault: (error: unknown) => void): Recorder {
  return async (direction, bytes) => {
    if (direction === ">") return;
    try {
      await writeAll(file, bytes);
    } catch (error) {
      onFault(error);
    }
  };
}
