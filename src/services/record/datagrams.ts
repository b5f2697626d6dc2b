/**
 * Records datagrams as netstrings (`5:hello,`), which keep their boundaries.
 *
 * @module
 */
import type { Conversation } from "../../connection/conversation.ts";
import type { DatagramHandler } from "../../connection/session.ts";
import { type Recording, RecordingError, type RecordingOptions } from "./recording.ts";

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");

/** Appends each datagram to the recording of its session. */
export function recordDatagrams(
  recordingFor: (client: Conversation) => Recording,
  { sync, failed }: Pick<RecordingOptions, "sync"> & { failed(reason: string): void },
): DatagramHandler {
  const tell = (error: unknown) => {
    if (error instanceof RecordingError) failed(error.message);
    throw error;
  };
  return (session) => {
    const recording = recordingFor(session);
    session.note("file", recording.path);
    const end = async () => {
      if (sync !== "never") await recording.sync();
      await recording.close();
    };
    return {
      receive: (datagram) =>
        recording.append(encoder.encode(`${datagram.length}:`), datagram, COMMA).catch(tell),
      close: () =>
        end().catch((error) => {
          if (!(error instanceof RecordingError)) throw error;
          failed(error.message);
        }),
    };
  };
}
