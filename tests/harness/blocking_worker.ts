/**
 * A worker that blocks its event loop for the milliseconds in each message, and answers when that
 * is over.
 *
 * @module
 */
import { LoopDelay, type LoopDelayMemory } from "../../src/scheduling/loop_delay.ts";

const thread = self as unknown as Worker;

thread.onmessage = ({ data }: MessageEvent<LoopDelayMemory>) => {
  new LoopDelay(data).follow();
  const wait = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => Atomics.wait(wait, 0, 0, 2_000), 2_100);
};
