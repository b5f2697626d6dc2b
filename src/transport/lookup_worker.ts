/**
 * A worker that looks up names, so that unanswered look-ups do not occupy blocking threads of the
 * main thread.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { getaddrinfo } from "./getaddrinfo.ts";
import type { LookupAnswer, LookupRequest } from "./lookup_threads.ts";

/** The worker's global scope, as far as it is used. */
interface Thread {
  onmessage: ((event: MessageEvent<LookupRequest>) => void) | null;
  postMessage(answer: LookupAnswer): void;
}

const thread = globalThis as unknown as Thread;
const tasks = new TaskScope("looking up a name", { consequence: "that look-up fails" });

thread.onmessage = tasks.guard(async ({ data: { number, name } }: MessageEvent<LookupRequest>) => {
  try {
    thread.postMessage({ number, addresses: await getaddrinfo(name) });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    thread.postMessage({ number, code, message });
  }
});
