/**
 * How a line reaches everyone in a room.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import { TaskScope } from "../scheduling/task_scope.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";
import { SlowConsumerPolicy, type Subscriber } from "./backpressure.ts";

const tasks = new TaskScope("sending lines round a chat room", {
  without: "some members miss them",
});

/** The bytes of a batch, however much is said in one turn. */
const BATCH_SIZE = 32 * 1024;

/**
 * Sends lines to everyone in a room, those of the same turn of the event loop in one batch: a write costs the same for
 * one line as for a hundred.
 */
export class FanOut<Member extends { readonly subscriber: Subscriber }> {
  readonly #members: () => Iterable<Member>;
  readonly #slowConsumers = new SlowConsumerPolicy();
  #next: Batch<Member> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ready: Promise<void> | undefined;

  /** Sends to these, whoever they are at the time. */
  constructor(members: () => Iterable<Member>) {
    this.#members = members;
  }

  /** Adds a line to the next batch, which goes to all but its speaker. */
  add(line: Uint8Array, speaker?: Member): void {
    if (!this.#next) {
      this.#next = new Batch();
      this.#timer = setTimeout(tasks.guard(() => this.flush()));
    }
    this.#next.add(line, speaker);
  }

  /** Sends the batch now, if there is one. */
  flush(): void {
    const batch = this.#next;
    if (!batch) return;
    clearTimeout(this.#timer);
    this.#next = undefined;
    this.#ready = undefined;
    for (const member of this.#members()) {
      const lines = batch.linesFor(member);
      if (lines.length > 0) member.subscriber.send(lines);
    }
  }

  /** Resolves when nobody has much left to take, or soon in any case. */
  ready(): Promise<void> {
    const isMuch = this.#next !== undefined && this.#next.size >= BATCH_SIZE;
    if (isMuch) this.flush();
    return this.#ready ??= this.#wait({ afterATurn: isMuch });
  }

  /** Sends the batch, and waits for the slow consumers of the one before. */
  async waitForSlowConsumers(): Promise<void> {
    const ready = this.#ready;
    this.flush();
    await ready;
  }

  /** After much was told, all else that there is to do in this process gets a turn before it is asked who listens. */
  async #wait({ afterATurn }: { afterATurn: boolean }): Promise<void> {
    if (afterATurn) await nextTurn();
    await this.#slowConsumers.waitFor(Array.from(this.#members(), ({ subscriber }) => subscriber));
  }
}

/** Lines that are sent together. What most members get is put together once, for all of them. */
class Batch<Member> {
  readonly #lines: { readonly line: Uint8Array; readonly speaker: Member | undefined }[] = [];
  readonly #speakers = new Set<Member>();
  #size = 0;
  #all: Uint8Array | undefined;

  get size(): number {
    return this.#size;
  }

  add(line: Uint8Array, speaker: Member | undefined): void {
    this.#lines.push({ line, speaker });
    this.#size += line.length;
    if (speaker !== undefined) this.#speakers.add(speaker);
  }

  linesFor(member: Member): Uint8Array {
    if (!this.#speakers.has(member)) {
      return this.#all ??= concat(this.#lines.map(({ line }) => line));
    }
    return concat(this.#lines.filter(({ speaker }) => speaker !== member).map(({ line }) => line));
  }
}
