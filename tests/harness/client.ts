/**
 * A client inside the test, started with command-line arguments.
 *
 * @module
 */
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { runClient } from "../../src/client.ts";
import { bytesOf } from "./bytes.ts";

/** What a client received, printed and logged. */
export interface ClientResult {
  /** Received data, as text. */
  readonly received: string;
  /** Its printed result. */
  readonly printed: string;
  /** Its log. */
  readonly logged: string;
  /** Its error; empty without one. */
  readonly error: string;
}

/** Runs `outlet client ARGS…` with this input, until it ends. */
export async function runTestClient(args: readonly string[], input = ""): Promise<ClientResult> {
  const result = { received: "", printed: "", logged: "", error: "" };
  const decoder = new TextDecoder();
  try {
    await runClient(parseClientArgs(args), {
      input: once(bytesOf(input)),
      show(bytes) {
        result.received += decoder.decode(bytes, { stream: true });
        return Promise.resolve();
      },
      print(text) {
        result.printed += text;
        return Promise.resolve();
      },
      log: (line) => void (result.logged += line + "\n"),
      report: (line) => void (result.logged += line + "\n"),
    });
  } catch (error) {
    result.error = (error as Error).message;
  }
  return result;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  if (bytes.length > 0) yield bytes;
}
