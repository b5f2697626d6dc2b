/**
 * Sends the lines of a room to all its members.
 *
 * Lines are appended to one log. Each member has a position in it, the number of its next line. A
 * pass sends each member everything after its position, in one write; passes repeat until the log
 * is empty. Lines that all members were sent are dropped. Between passes, slow members are waited
 * for, and so are senders while the log is long.
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

/** The size of the log in bytes from which senders wait. */
const HIGH_WATER_MARK = 32 * 1024;

/** The most bytes per write to a member, which bounds the queue of a member that reads. */
const WRITE_SIZE = 64 * 1024;

/** The members that are written to in one turn of the event loop; each write is a system call. */
const TURN = { units: 256, clockEvery: 16 };

/** Sends lines to all members, in turns of the event loop. */
export class FanOut<Member extends { readonly subscriber: Subscriber }> {
  readonly #log = new LineLog<Member>();
  /** The members, each with the number of its next line. */
  readonly #positions = new Map<Member, number>();
  readonly #slowConsumers = new SlowConsumerPolicy();
  /** The members that were slow in the last pass. */
  #slow: Subscriber[] = [];
  /** The wait for them, which all callers share. */
  #slowWait: Promise<void> | undefined;
  /** Starts the first pass in the next turn. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether passes are running. */
  #isSending = false;
  /** Resolves when the running passes, or the last ones, have ended. */
  #sent: Promise<void> = Promise.resolve();
  /** Resolved at the end of the running pass; absent if nobody waits for it. */
  #passEnd: PromiseWithResolvers<void> | undefined;

  /** Adds a member, which is sent lines from now on. */
  addMember(member: Member): void {
    this.#positions.set(member, this.#log.end);
  }

  /** Sends a member its remaining lines, and removes it. */
  removeMember(member: Member): void {
    this.catchUp(member);
    this.#positions.delete(member);
    if (this.#positions.size > 0) return;
    this.#clearTimer();
    this.#log.dropBefore(this.#log.end);
  }

  /** Adds a line for all but its sender, to be sent in the next turn of the event loop. */
  add(line: Uint8Array, sender?: Member): void {
    if (this.#positions.size === 0) return;
    this.#log.add(line, sender);
    if (!this.#isSending) this.#timer ??= setTimeout(tasks.guard(() => this.flush()));
  }

  /** Sends a member its remaining lines at once. Call it before writing to the member directly. */
  catchUp(member: Member): void {
    this.#send(member, Infinity);
  }

  /** Sends all lines now; resolves once all members were sent them. */
  flush(): Promise<void> {
    this.#clearTimer();
    if (!this.#isSending) this.#sent = this.#sendAll();
    return this.#sent;
  }

  /** Resolves when the log is short and no member is slow, or after the longest wait. */
  async ready(): Promise<void> {
    if (this.#log.size >= HIGH_WATER_MARK) {
      while (this.#log.size >= HIGH_WATER_MARK) await this.#nextPass();
      await nextTurn();
    }
    await this.#waitForSlowMembers();
  }

  /**
   * Resolves at the end of the running pass, or of a new one. The last pass may never come, because
   * others add lines meanwhile.
   */
  #nextPass(): Promise<void> {
    this.#passEnd ??= Promise.withResolvers();
    const { promise } = this.#passEnd;
    tasks.run(this.flush());
    return promise;
  }

  /** Repeats passes over all members until the log is empty. */
  async #sendAll(): Promise<void> {
    this.#isSending = true;
    const budget = new TurnBudget(TURN);
    try {
      while (this.#log.size > 0) {
        const slow: Subscriber[] = [];
        for (const member of this.#positions.keys()) {
          this.#send(member, WRITE_SIZE);
          if (this.#slowConsumers.isSlow(member.subscriber)) slow.push(member.subscriber);
          const turn = budget.spend();
          if (turn) await turn;
        }
        this.#slow = slow;
        this.#slowWait = undefined;
        this.#log.dropBefore(this.#oldestPosition());
        this.#endPass();
        if (this.#log.size > 0) {
          await nextTurn();
          await this.#waitForSlowMembers();
        }
      }
    } finally {
      this.#isSending = false;
      // The last member may have left during the wait, so that no pass has followed.
      this.#endPass();
    }
  }

  #endPass(): void {
    this.#passEnd?.resolve();
    this.#passEnd = undefined;
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #send(member: Member, limit: number): void {
    const position = this.#positions.get(member);
    if (position === undefined || position === this.#log.end) return;
    if (member.subscriber.isClosed) {
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

  #waitForSlowMembers(): Promise<void> {
    return this.#slowWait ??= this.#slowConsumers.waitFor(this.#slow);
  }
}
