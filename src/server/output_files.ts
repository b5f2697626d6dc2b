/**
 * The files that the connections of outlets are written to: bytes, hex dumps, JSON records.
 *
 * @module
 */
import type { OutletOptions } from "../config/outlet_options.ts";
import {
  jsonRecorder,
  type Output,
  outputStage,
  type OutputSubject,
  rawRecorder,
  recordWith,
} from "../connection/output.ts";
import { OutputFile } from "../connection/output_file.ts";
import { hexRecorder, type Recorder } from "../connection/tap.ts";
import type { StandardStreams } from "../services/service.ts";
import type { Stage } from "../transport/stage.ts";

/** The options about output files. */
export type OutputOptions = Pick<
  OutletOptions,
  "output" | "output-sent" | "hex-dump" | "json" | "append-output"
>;

/** Where output goes. */
type Destination = Pick<OutputFile, "open" | "write">;

const encoder = new TextEncoder();

/** The output files of one thread, by path: outlets can share a file. */
export class OutputFiles {
  readonly #files = new Map<string, OutputFile>();
  readonly #standard: StandardStreams | undefined;

  /** No file yet; `-` is the stdout of these streams. */
  constructor(standard: StandardStreams | undefined) {
    this.#standard = standard;
  }

  /** The stage that records what the options ask for; `undefined` if nothing. */
  stage(options: OutputOptions, about: { outlet: string }): Stage | undefined {
    const open = this.recording(options, about);
    return open && outputStage(open);
  }

  /** Opens the recording of one connection or session; `undefined` if the options ask for none. */
  recording(
    options: OutputOptions,
    { outlet }: { outlet: string },
  ): ((about: OutputSubject) => Promise<Output>) | undefined {
    const { output, "hex-dump": dump, json, "append-output": append } = options;
    const data = output === undefined && !json ? undefined : this.#at(output ?? "-", append);
    const hex = dump === undefined ? undefined : this.#at(dump, append);
    if (!data && !hex) return undefined;
    const dataRecorder = ({ write }: Destination, about: OutputSubject) =>
      json
        ? jsonRecorder((text) => write(encoder.encode(text)), { outlet, about })
        : rawRecorder(write, { withSent: options["output-sent"] });
    return (about) =>
      opened([
        ...data ? [{ to: data, record: dataRecorder(data, about) }] : [],
        ...hex ? [{ to: hex, record: labelledDump(hex, about) }] : [],
      ]);
  }

  #at(path: string, append: boolean): Destination {
    if (path === "-") return this.#stdout();
    const there = this.#files.get(path);
    if (there) return destination(there);
    const file = new OutputFile(path, { append });
    this.#files.set(path, file);
    return destination(file);
  }

  #stdout(): Destination {
    const standard = this.#standard;
    return {
      open: () => Promise.resolve({ [Symbol.dispose]() {} }),
      write: (bytes) => standard ? standard.write(bytes) : Promise.resolve(),
    };
  }
}

function destination(file: OutputFile): Destination {
  return { open: () => file.open(), write: (bytes) => file.write(bytes) };
}

/** Opens all destinations of one connection, or none. */
async function opened(
  outputs: readonly { readonly to: Destination; readonly record: Recorder }[],
): Promise<Output> {
  using stack = new DisposableStack();
  for (const { to } of outputs) stack.use(await to.open());
  const files = stack.move();
  return {
    record: recordWith(outputs.map(({ record }) => record)),
    [Symbol.dispose]: () => files[Symbol.dispose](),
  };
}

/** A hex dump whose lines begin with the connection's number. */
function labelledDump({ write }: Destination, { id }: OutputSubject): Recorder {
  let fault: unknown;
  const record = hexRecorder((text) => write(encoder.encode(text)), {
    label: `#${id} `,
    onFault: (error) => fault = error,
  });
  return async (direction, bytes) => {
    await record(direction, bytes);
    if (fault !== undefined) throw fault;
  };
}
