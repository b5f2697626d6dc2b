/**
 * A thread that looks names up, so that a name server which never answers holds no thread of those who serve.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { getaddrinfo } from "./getaddrinfo.ts";
import type { LookupAnswer, LookupRequest } from "./lookup_threads.ts";

/** What a worker has of its own thread. */
interface Thread {
  onmessage: ((event: MessageEvent<LookupRequest>) => void) | null;
  postMessage(answer: LookupAnswer): void;
}

const thread = globalThis as unknown as Thread;
const tasks = new TaskScope("looking up a name", { without: "that name stays unknown" });

thread.onmessage = tasks.guard(async ({ data: { number, name } }: MessageEvent<LookupRequest>) => {
  try {
    thread.postMessage({ number, addresses: await getaddrinfo(name) });
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    thread.postMessage({ number, code, message });
  }
});
