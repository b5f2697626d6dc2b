/**
 * A worker that can be killed: it dies when it is to send `die` to a client.
 *
 * @module
 */
import { DEATH } from "./death.ts";
import "../../src/workers/worker.ts";
import type { WorkerRequest } from "../../src/workers/messages.ts";

globalThis.addEventListener("message", (message: Event) => {
  const { data } = message as MessageEvent<WorkerRequest>;
  if (data.name === "write" && new TextDecoder().decode(data.task.bytes) === "die") {
    throw new Error(DEATH);
  }
});
