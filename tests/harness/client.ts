/**
 * A client inside the test, started with command-line arguments.
 *
 * @module
 */
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { runClient } from "../../src/client.ts";
import { bytesOf } from "./bytes.ts";

/** What a client received, printed and logged. */
export interface Talk {
  /** Received data, as text. */
  readonly shown: string;
  /** Its printed result. */
  readonly printed: string;
  /** Its log. */
  readonly told: string;
  /** Its error; empty without one. */
  readonly error: string;
}

/** Runs `outlet client WORDS…` with this input, until it ends. */
export async function plug(words: readonly string[], input = ""): Promise<Talk> {
  const talk = { shown: "", printed: "", told: "", error: "" };
  const decoder = new TextDecoder();
  try {
    await runClient(parseClientArgs(words), {
      input: once(bytesOf(input)),
      show(bytes) {
        talk.shown += decoder.decode(bytes, { stream: true });
        return Promise.resolve();
      },
      print(text) {
        talk.printed += text;
        return Promise.resolve();
      },
      log: (line) => void (talk.told += line + "\n"),
      report: (line) => void (talk.told += line + "\n"),
    });
  } catch (error) {
    talk.error = (error as Error).message;
  }
  return talk;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  if (bytes.length > 0) yield bytes;
}
