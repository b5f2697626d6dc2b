/**
 * Output files: the stage that writes what connections receive and send, as bytes, hex dumps or
 * JSON records.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { printableJson } from "../terminal/printable.ts";
import type { Stage, StageContext } from "../transport/stage.ts";
import { type ByteStream, wrap } from "../transport/stream.ts";
import type { Direction } from "./hex_dump.ts";
import type { Recorder } from "./tap.ts";

/** The recording of one connection, until it is disposed. */
export interface Output extends Disposable {
  /** Records bytes of one direction; rejects if they cannot be written. */
  readonly record: Recorder;
}

/** The number and the address of what is recorded. */
export type OutputSubject = Pick<StageContext, "id" | "peer">;

/**
 * A stage that records the bytes of each connection, at the pace of the destination. If they cannot
 * be written, the connection fails. It can be closed while the destination takes nothing.
 */
export function outputStage(open: (about: StageContext) => Promise<Output>): Stage {
  return async (stream, about) => recorded(stream, await openUntil(about.signal, open(about)));
}

/** An output that is being opened. Its records wait for that until it is disposed. */
export function openingOutput(opening: Promise<Output>): Output {
  const waits = new Waits();
  let isDisposed = false;
  return {
    record: (direction, bytes) =>
      waits.until(opening.then(async (output) => {
        // The bytes were valid only until then.
        if (!isDisposed) await output.record(direction, bytes);
      })),
    [Symbol.dispose]() {
      isDisposed = true;
      waits.end(new Deno.errors.Interrupted("the session is closed"));
      handledElsewhere(opening.then((output) => output[Symbol.dispose]()));
    },
  };
}

/** Waits for the output, but not once the connection is given up. */
async function openUntil(signal: AbortSignal, opening: Promise<Output>): Promise<Output> {
  const waits = new Waits();
  const giveUp = tasks.guard(() => waits.end(new Error("the connection was given up")));
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    await waits.until(opening);
    return await opening;
  } catch (error) {
    // Opened later, it is not needed any more.
    handledElsewhere(opening.then((late) => late[Symbol.dispose]()));
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

const tasks = new TaskScope("giving up a connection that waits for its output file", {
  consequence: "it waits until the file can be written",
});

/** The stream, whose reads and writes are recorded. */
function recorded(stream: ByteStream, output: Output): ByteStream {
  const waits = new Waits();
  const record = (direction: Direction, bytes: Uint8Array) =>
    waits.until(output.record(direction, bytes));
  return wrap(stream, {
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
        waits.end(new Deno.errors.Interrupted("the connection is closed"));
        output[Symbol.dispose]();
      }
    },
  });
}

/** Promises that are waited for until one of them settles or all are given up. */
class Waits {
  readonly #pending = new Set<(error: Error) => void>();
  #ended: Error | undefined;

  /** Waits for the promise; rejects once {@linkcode end} is called. */
  until(work: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended) reject(this.#ended);
      this.#pending.add(reject);
      const done = () => this.#pending.delete(reject);
      handledElsewhere(work.then(() => resolve(), reject).finally(done));
    });
  }

  /** Ends all waits with this error, also later ones. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const reject of this.#pending) reject(error);
  }
}

/** Records in order, with each of the recorders. */
export function recordWith(recorders: readonly Recorder[]): Recorder {
  const [only] = recorders;
  if (only && recorders.length === 1) return only;
  return async (direction, bytes) => {
    for (const record of recorders) await record(direction, bytes);
  };
}

/** Records received bytes as they are, and sent ones with `withSent`. */
export function rawRecorder(
  write: (bytes: Uint8Array) => Promise<void>,
  { withSent }: { withSent: boolean },
): Recorder {
  return (direction, bytes) => direction === "<" || withSent ? write(bytes) : Promise.resolve();
}

/** What a JSON record says about its connection. */
export interface RecordSubject {
  /** The outlet's name. */
  readonly outlet: string;
  /** The number and the address of the connection. */
  readonly about: OutputSubject;
}

/**
 * Records a JSON object a line for each chunk. The data is `text` if the chunk is UTF-8, otherwise
 * `base64`.
 */
export function jsonRecorder(
  write: (text: string) => Promise<void>,
  { outlet, about: { id, peer } }: RecordSubject,
): Recorder {
  return async (direction, bytes) => {
    await write(
      printableJson({
        time: new Date().toISOString(),
        outlet,
        connection: id,
        peer: formatAddress(peer),
        direction: direction === "<" ? "received" : "sent",
        bytes: bytes.length,
        ...dataOf(bytes),
      }) + "\n",
    );
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function dataOf(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    return { base64: bytes.toBase64() };
  }
}
