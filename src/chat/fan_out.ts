/**
 * Fans lines out to all members of a room.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { nextTurn, TurnBudget } from "../scheduling/turn_budget.ts";
import { SlowConsumerPolicy, type Subscriber } from "./backpressure.ts";
import { LineLog } from "./line_log.ts";

const tasks = new TaskScope("sending lines to the members of a room", {
  consequence: "some members do not get them",
});

/** Bytes in the log above which senders wait. */
const HIGH_WATER_MARK = 32 * 1024;

/** The most bytes per write to a member, which bounds the queue of a member that reads. */
const WRITE_SIZE = 64 * 1024;

/** Members written to in one turn of the event loop; each write is a system call. */
const TURN = { units: 256, clockEvery: 16 };

/**
 * Sends lines to all members, in turns of the event loop. Each member has a position in the log of
 * lines, and is sent everything after it in one write. Lines that all members were sent are dropped
 * from the log.
 */
export class FanOut<Member extends { readonly subscriber: Subscriber }> {
  readonly #log = new LineLog<Member>();
  /** The members, each with the number of its next line. */
  readonly #positions = new Map<Member, number>();
  readonly #slowConsumers = new SlowConsumerPolicy();
  /** The members that were slow in the last pass. */
  #slow: Subscriber[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;
  #caughtUp: Promise<void> | undefined;
  /** Resolved at the end of the pass. */
  #passed: PromiseWithResolvers<void> | undefined;

  /** Adds a member, which is sent lines from now on. */
  addMember(member: Member): void {
    this.#positions.set(member, this.#log.end);
  }

  /** Sends a member its remaining lines, and removes it. */
  removeMember(member: Member): void {
    this.catchUp(member);
    this.#positions.delete(member);
    if (this.#positions.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#log.dropBefore(this.#log.end);
  }

  /** Adds a line for all but its sender, to be sent in the next turn of the event loop. */
  add(line: Uint8Array, sender?: Member): void {
    if (this.#positions.size === 0) return;
    this.#log.add(line, sender);
    if (!this.#flushing) this.#timer ??= setTimeout(tasks.guard(() => this.flush()));
  }

  /** Sends a member its remaining lines at once. Call it before writing to the member directly. */
  catchUp(member: Member): void {
    this.#send(member, Infinity);
  }

  /** Sends all lines now; resolves once all members were sent them. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#flushing) return this.#flushing;
    const flushing = this.#sendAll();
    if (this.#log.size === 0) return flushing;
    return this.#flushing = flushing.finally(() => this.#flushing = undefined);
  }

  /** Resolves when the log is short and no member is slow, or after the longest wait. */
  async ready(): Promise<void> {
    const isLong = this.#log.size >= HIGH_WATER_MARK;
    while (this.#log.size >= HIGH_WATER_MARK) await this.#nextPass();
    if (isLong) await nextTurn();
    await this.#waitForSlowConsumers();
  }

  /**
   * Resolves after a pass over all members. Not after all passes: while somebody goes on adding a few lines at a time,
   * there is always another one.
   */
  #nextPass(): Promise<void> {
    this.#passed ??= Promise.withResolvers();
    const { promise } = this.#passed;
    tasks.run(this.flush());
    return promise;
  }

  /** Repeats passes over all members until the log is empty, waiting for slow ones in between. */
  async #sendAll(): Promise<void> {
    const budget = new TurnBudget(TURN);
    while (this.#log.size > 0) {
      const slow: Subscriber[] = [];
      for (const member of this.#positions.keys()) {
        this.#send(member, WRITE_SIZE);
        if (this.#slowConsumers.isSlow(member.subscriber)) slow.push(member.subscriber);
        const turn = budget.spend();
        if (turn) await turn;
      }
      this.#slow = slow;
      this.#caughtUp = undefined;
      this.#log.dropBefore(this.#oldestPosition());
      this.#endPass();
      if (this.#log.size > 0) {
        await nextTurn();
        await this.#waitForSlowConsumers();
      }
    }
    // The last member may have left while another pass was waited for.
    this.#endPass();
  }

  #endPass(): void {
    this.#passed?.resolve();
    this.#passed = undefined;
  }

  #send(member: Member, limit: number): void {
    const position = this.#positions.get(member);
    if (position === undefined || position === this.#log.end) return;
    if (member.subscriber.isGone) {
      this.#positions.set(member, this.#log.end);
      return;
    }
    const { bytes, end } = this.#log.read(position, { limit, reader: member });
    this.#positions.set(member, end);
    if (bytes.length === 0) return;
    try {
      member.subscriber.send(bytes);
    } catch (error) {
      tasks.fail(error);
    }
  }

  #oldestPosition(): number {
    let oldest = this.#log.end;
    for (const position of this.#positions.values()) oldest = Math.min(oldest, position);
    return oldest;
  }

  /** One wait for all callers after the same pass. */
  #waitForSlowConsumers(): Promise<void> {
    return this.#caughtUp ??= this.#slowConsumers.waitFor(this.#slow);
  }
}
