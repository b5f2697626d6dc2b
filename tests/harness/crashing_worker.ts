/**
 * A worker that ends if it is to send `die` to a client, and hangs if it is to send `hang`.
 *
 * @module
 */
import { CRASH_MESSAGE } from "./crash.ts";
import "../../src/workers/worker.ts";
import type { WorkerRequest } from "../../src/workers/messages.ts";

globalThis.addEventListener("message", (message: Event) => {
  const { data } = message as MessageEvent<WorkerRequest>;
  if (data.name !== "write") return;
  const text = new TextDecoder().decode(data.task.bytes);
  if (text === "die") throw new Error(CRASH_MESSAGE);
  while (text === "hang");
});
