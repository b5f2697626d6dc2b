/**
 * What a client keeps of a conversation: the bytes as they came, or a hex dump of both directions.
 *
 * @module
 */
import type { ClientOptions } from "../config/client_config.ts";
import type { ByteStream } from "../transport/stream.ts";
import { explain } from "../transport/errors.ts";
import { hexRecorder, type Recorder, tapped } from "../connection/tap.ts";

/** The files that a client writes to. Disposing it closes them. */
export class HexCapture implements Disposable {
  readonly #files = new DisposableStack();
  readonly #recorders: Recorder[] = [];
  #fault: Error | undefined;

  /**
   * Opens the files that the options name, each new or emptied.
   *
   * @throws {Error} which says which file cannot be opened
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
    if (output !== undefined) {
      capture.#recorders.push(rawRecorder(await capture.#open(output), failed(output)));
    }
    if (dump !== undefined) {
      const write = dump === "-" ? print : textWriter(await capture.#open(dump));
      capture.#recorders.push(hexRecorder(write, { onFault: failed(dump) }));
    }
    return capture;
  }

  /** The socket, with what comes and goes written down. A full disk ends the conversation. */
  of(socket: ByteStream): ByteStream {
    if (this.#recorders.length === 0) return socket;
    return tapped(socket, async (direction, bytes) => {
      for (const record of this.#recorders) await record(direction, bytes);
      if (this.#fault) throw this.#fault;
    });
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#files.dispose();
  }

  async #open(path: string): Promise<Deno.FsFile> {
    try {
      return this.#files.use(await Deno.open(path, { write: true, create: true, truncate: true }));
    } catch (cause) {
      throw new Error(`cannot write to ${path}: ${explain(cause)}`, { cause });
    }
  }
}

function textWriter(file: Deno.FsFile): (text: string) => Promise<void> {
  const encoder = new TextEncoder();
  return async (text) => {
    const bytes = encoder.encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
  };
}

function rawRecorder(file: Deno.FsFile, onFault: (error: unknown) => void): Recorder {
  return async (direction, bytes) => {
    if (direction === ">") return;
    try {
      for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
    } catch (error) {
      onFault(error);
    }
  };
}
