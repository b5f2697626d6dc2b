/**
 * Workers without threads: the same code, with messages delivered by the scheduler.
 *
 * @module
 */
import type { WorkerMessage, WorkerPort, WorkerRequest } from "../../src/workers/messages.ts";
import { WorkerThread } from "../../src/workers/worker_thread.ts";
import type { Kernel, ModelClient } from "./kernel.ts";
import type { Scheduler } from "./scheduler.ts";

/** A worker that can be ended. */
export class ModelThread implements WorkerPort {
  onmessage: WorkerPort["onmessage"] = null;
  onerror: WorkerPort["onerror"] = null;
  /** Whether it still runs. */
  isAlive = true;
  readonly #scheduler: Scheduler;
  readonly #kernel: Kernel;
  readonly #name: string;
  readonly #thread: WorkerThread;

  constructor(
    { scheduler, kernel, name }: { scheduler: Scheduler; kernel: Kernel; name: string },
  ) {
    this.#scheduler = scheduler;
    this.#kernel = kernel;
    this.#name = name;
    this.#thread = new WorkerThread({
      post: (message) => this.#post(message),
      listen: kernel.listenFor(name),
      later: (callback) => scheduler.add(`timers of ${name}`, () => this.isAlive && callback()),
    });
  }

  postMessage(request: WorkerRequest): void {
    const copy = structuredClone(request);
    this.#scheduler.add(`to ${this.#name}`, () => {
      if (this.isAlive) this.#thread.handle(copy);
    });
  }

  /**
   * Ends it as an uncaught error does, and returns the clients of its accept queues and
   * connections.
   */
  die(): ModelClient[] {
    const lost = this.#end();
    this.#scheduler.add(
      `from ${this.#name}`,
      () => this.onerror?.({ message: "a model worker dies", preventDefault: () => {} }),
    );
    return lost;
  }

  terminate(): void {
    this.#end();
  }

  #end(): ModelClient[] {
    this.isAlive = false;
    this.#scheduler.clear(`to ${this.#name}`);
    this.#scheduler.clear(`timers of ${this.#name}`);
    return this.#kernel.closeAll(this.#name);
  }

  #post(message: WorkerMessage): void {
    if (!this.isAlive) return;
    const copy = structuredClone(message);
    this.#scheduler.add(`from ${this.#name}`, () => this.onmessage?.({ data: copy }));
  }
}
