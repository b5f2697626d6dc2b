/**
 * A client inside the test, asked for in the words that a person would type.
 *
 * @module
 */
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { runClient } from "../../src/client.ts";
import { bytesOf } from "./bytes.ts";

/** What a client showed, printed and told. */
export interface Talk {
  /** What arrived, as text. */
  readonly shown: string;
  /** What it printed as a result. */
  readonly printed: string;
  /** What it told on the way. */
  readonly told: string;
  /** Why it failed; empty where it did not. */
  readonly error: string;
}

/** Does what `outlet client WORDS…` would with this input, to its end. */
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
