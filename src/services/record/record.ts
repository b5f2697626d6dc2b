import { choice, directory, DURATION, file, integer, SIZE } from "../../options/kinds.ts";
import { flag, option, type OptionValues } from "../../options/option.ts";
import { UsageError } from "../../options/usage_error.ts";
import { Recording, RecordingError, type RecordingOptions, timestamp } from "./recording.ts";
import { recordDatagrams } from "./datagrams.ts";
import { WholeLines } from "./whole_lines.ts";
import { formatAddress } from "../../endpoint/address.ts";
import type { Connection } from "../../connection/connection.ts";
import type { Conversation } from "../../connection/conversation.ts";
import { type Service, service } from "../service.ts";

const OPTIONS = {
  file: option(file("append"), "append the data of all clients to this file", {
    excludes: ["dir"],
  }),
  dir: option(directory("write-in"), "create a file for each client in this directory"),
  lines: flag("write only whole lines, so that lines of two clients never mix", {
    needs: ["file"],
  }),
  "rotate-size": option(SIZE, "rotate the file before it exceeds this size"),
  "rotate-age": option(DURATION, "rotate the file at this age"),
  keep: option(integer({ min: 0, max: 1_000_000 }), "number of rotated files to keep", {
    needs: ["rotate-size", "rotate-age"],
    defaultText: "all",
  }),
  sync: option(
    choice(["write", "close", "never"]),
    "when to flush to disk: after each write, before a client is closed, or never",
    { default: "close" },
  ),
};

/** Writes received data to files. An orderly close by the server means that all of the client's data is on disk. */
export const record: Service = service({
  name: "record",
  summary: "write received data to a file, or to one file per client",
  // The file.
  descriptors: 1,
  options: OPTIONS,
  check({ file, dir, ...options }) {
    for (const name of ["rotate-size", "rotate-age"] as const) {
      if (options[name] === 0) {
        throw new UsageError(`${name} cannot be 0: leave it out`, { option: name });
      }
    }
    if (file === undefined && dir === undefined) {
      throw new UsageError("record needs file or dir", { option: "file" });
    }
  },
  datagram: {
    answers: "none",
    unused: { lines: "each datagram is written whole, after its length" },
    open: (options, { failed }) => recordDatagrams(recordingsOf(options), { ...options, failed }),
  },
  open(options, { failed }) {
    const recordingFor = recordingsOf(options);
    return async (connection) => {
      const recording = recordingFor(connection);
      connection.note("file", recording.path);
      try {
        await recordAll(connection, { recording, lines: options.lines });
        if (options.sync !== "never") await recording.sync();
      } catch (error) {
        if (error instanceof RecordingError) failed(error.message);
        throw error;
      } finally {
        await recording.close();
      }
    };
  },
});

/** The recording of each client: one file for all, or one file each. */
function recordingsOf(
  options: OptionValues<typeof OPTIONS>,
): (client: Conversation) => Recording {
  return options.file === undefined
    ? (client) => new Recording(pathIn(options.dir!, client), settings(options))
    : sharedRecording(options.file, settings(options));
}

function settings(options: OptionValues<typeof OPTIONS>): RecordingOptions {
  return {
    rotateSize: options["rotate-size"],
    rotateAge: options["rotate-age"],
    keep: options.keep,
    sync: options.sync,
  };
}

/** One recording for all clients, which reopens its file after a close. */
function sharedRecording(path: string, options: RecordingOptions): () => Recording {
  const recording = new Recording(path, options);
  return () => recording;
}

/** A file name from time, address and connection number: `20261122T204745.123Z_127.0.0.1_53422_7`. */
function pathIn(directory: string, { peer, id }: Conversation): string {
  const from = formatAddress(peer).replaceAll(/[^\w.]+/g, "_");
  return `${directory}/${timestamp()}_${from}_${id}`;
}

/** Appends all data of a client. */
async function recordAll(
  connection: Connection,
  { recording, lines }: { recording: Recording; lines: boolean },
): Promise<void> {
  if (!lines) {
    for await (const chunk of connection.chunks()) await recording.append(chunk);
    return;
  }
  const whole = new WholeLines(recording);
  try {
    for await (const chunk of connection.chunks()) await whole.append(chunk);
  } finally {
    await whole.end();
  }
}
