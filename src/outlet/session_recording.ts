/**
 * Records the datagrams of a session to its capture and to the output files of its outlet.
 *
 * @module
 */
import { openingOutput, type OutputSubject, recordWith } from "../connection/output.ts";
import type { Recorder } from "../connection/tap.ts";
import type { DatagramSettings } from "./datagram_settings.ts";

/** The recording of a session. */
export interface SessionRecording {
  /** Records a datagram; rejects if it cannot be written. */
  readonly record: Recorder;
  /** Ends records that still wait for a file, and closes the files. */
  close(): Promise<void>;
}

/** The recording that the settings ask for; `undefined` if none. */
export function recordingOf(
  { capture, output }: DatagramSettings,
  about: OutputSubject,
): SessionRecording | undefined {
  const capturing = capture?.(about.id);
  const recording = output && openingOutput(output(about));
  if (!capturing && !recording) return undefined;
  const captured: Recorder = async (...data) => await (await capturing)?.record(...data);
  return {
    record: recordWith([
      ...capturing ? [captured] : [],
      ...recording ? [recording.record] : [],
    ]),
    async close() {
      recording?.[Symbol.dispose]();
      (await capturing)?.[Symbol.dispose]();
    },
  };
}
