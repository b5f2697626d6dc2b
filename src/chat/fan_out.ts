/**
 * How what is told in a room goes round in it.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import { SlowConsumerPolicy, type Subscriber } from "./backpressure.ts";

/** The bytes that go round at once, however much is told. */
const MUCH = 32 * 1024;

/**
 * Takes lines round to everyone in a room, those that are told at the same time together: a write costs the same for
 * one line as for a hundred.
 */
export class FanOut<Member extends { readonly ear: Subscriber }> {
  readonly #members: () => Iterable<Member>;
  readonly #patience = new SlowConsumerPolicy();
  #next: Batch<Member> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listened: Promise<void> | undefined;

  /** Rounds to these, whoever they are at the time. */
  constructor(members: () => Iterable<Member>) {
    this.#members = members;
  }

  /** Takes a line along with the next round, to all but its speaker. */
  tell(line: Uint8Array, speaker?: Member): void {
    if (!this.#next) {
      this.#next = new Batch();
      this.#timer = setTimeout(() => this.flush());
    }
    this.#next.add(line, speaker);
  }

  /** Goes round now, if there is anything to tell. */
  flush(): void {
    const round = this.#next;
    if (!round) return;
    clearTimeout(this.#timer);
    this.#next = undefined;
    this.#listened = undefined;
    for (const member of this.#members()) {
      const lines = round.linesFor(member);
      if (lines.length > 0) member.ear.hear(lines);
    }
  }

  /** Resolves when nobody has much left to take, or soon in any case. */
  listened(): Promise<void> {
    const isMuch = this.#next !== undefined && this.#next.size >= MUCH;
    if (isMuch) this.flush();
    return this.#listened ??= this.#wait({ aTurn: isMuch });
  }

  /** Goes round, and waits for those who were listening. */
  async settle(): Promise<void> {
    const listened = this.#listened;
    this.flush();
    await listened;
  }

  /** After much was told, all else that there is to do in this process gets a turn before it is asked who listens. */
  async #wait({ aTurn }: { aTurn: boolean }): Promise<void> {
    if (aTurn) await new Promise((resolve) => setTimeout(resolve));
    await this.#patience.waitFor(Array.from(this.#members(), ({ ear }) => ear));
  }
}

/** Lines that go round together. What most members get is put together once, for all of them. */
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
