/** Rooms across workers: each has its own server, and all of them have the same rooms. */
import { assertEquals } from "@std/assert";
import { converse, Guest } from "../harness/crowd.ts";
import type { Order } from "./worker_room.ts";

/** A worker that serves. Disposing it lets it close what it has opened. */
class Hand implements AsyncDisposable {
  readonly #worker = new Worker(new URL("./worker_room.ts", import.meta.url), { type: "module" });
  #ports: readonly number[] = [];

  static async open(bus: string, ...words: string[]): Promise<Hand> {
    const hand = new Hand();
    hand.#ports = await hand.#ask({ open: words, bus }) as number[];
    return hand;
  }

  port(index = 0): number {
    return this.#ports[index]!;
  }

  /** Ends it on the spot. */
  kill(): void {
    this.#worker.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask({ close: true });
    this.#worker.terminate();
  }

  #ask(order: Order): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.onerror = ({ message }) => reject(new Error(message));
    this.#worker.postMessage(order);
    return promise;
  }
}

Deno.test("three workers, 300 members, 3,000 lines: every transcript is whole, in order, without doubles", async () => {
  const bus = crypto.randomUUID();
  await using workers = new AsyncDisposableStack();
  const parts: Guest[][] = [];
  for (let w = 0; w < 3; w++) {
    const worker = workers.use(await Hand.open(bus, "chat://:0?room=all"));
    parts.push(await Promise.all(Array.from({ length: 100 }, () => Guest.join(worker.port()))));
  }
  using guests = new DisposableStack();
  for (const guest of parts.flat()) guests.use(guest);
  for (const [first] of parts) await first!.countsMembers(300);
  assertEquals(await converse(parts, { lines: 3_000 }), []);
});

Deno.test("members of a worker that dies are gone for the others", async () => {
  const bus = crypto.randomUUID();
  await using one = await Hand.open(bus, "chat://:0?room=all");
  const other = await Hand.open(bus, "chat://:0?room=all");
  using alice = await Guest.join(one.port());
  using bob = await Guest.join(other.port());
  await bob.type("/name bob");
  await alice.isTold(/is now bob$/);
  other.kill();
  await alice.isTold(/^\* left with their server: bob$/);
  await alice.countsMembers(1);
});
