/**
 * The thread that waits for a secret to be typed: `promptSecret` blocks its thread, and the main thread has to go on
 * handling signals, so that Ctrl-C ends the program.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { promptSecret } from "@std/cli/prompt-secret";

/** What a worker has of its own thread. */
interface Thread {
  onmessage: ((event: MessageEvent<string>) => void) | null;
  postMessage(answer: string | null): void;
}

const thread = globalThis as unknown as Thread;
const tasks = new TaskScope("asking for a secret", { consequence: "the secret stays unknown" });

thread.onmessage = tasks.guard(({ data }: MessageEvent<string>) =>
  thread.postMessage(promptSecret(data))
);
