/**
 * How a line reaches everyone in a room.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { nextTurn, TurnBudget } from "../scheduling/turn_budget.ts";
import { SlowConsumerPolicy, type Subscriber } from "./backpressure.ts";
import { LineLog } from "./line_log.ts";

const tasks = new TaskScope("sending lines to the members of a room", {
  without: "some members do not get them",
});

/** The bytes that may be on their way round before those who speak wait. */
const HIGH_WATER_MARK = 32 * 1024;

/** The most bytes that a member is sent at a time, so that one who reads never has too much waiting. */
const PIECE = 64 * 1024;

/** Members that are sent to in one turn: to each, it is a system call. */
const TURN = { units: 256, clockEvery: 16 };

/**
 * Sends lines to everyone in a room, in turns of the event loop. Each member has a place in the room's log of lines:
 * what is between that and the log's end is sent to it in one write, which costs the same for one line as for a
 * hundred. A line that all have been sent is forgotten.
 */
export class FanOut<Member extends { readonly subscriber: Subscriber }> {
  readonly #log = new LineLog<Member>();
  /** The members, each with the number of the line that it is sent next. */
  readonly #places = new Map<Member, number>();
  readonly #slowConsumers = new SlowConsumerPolicy();
  /** Those who had much left to take when they were last sent something. */
  #behind: Subscriber[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #caughtUp: Promise<void> | undefined;

  /** Sends to this member what is said from now on. */
  enter(member: Member): void {
    this.#places.set(member, this.#log.end);
  }

  /** Sends a member what was said before, and nothing any more. */
  leave(member: Member): void {
    this.catchUp(member);
    this.#places.delete(member);
  }

  /** Adds a line, which goes to all but its speaker once all that has come at the same time is added. */
  add(line: Uint8Array, speaker?: Member): void {
    if (this.#places.size === 0) return;
    this.#log.add(line, speaker);
    if (!this.#round) this.#timer ??= setTimeout(tasks.guard(() => this.flush()));
  }

  /** Sends this member at once what it lacks: whoever tells it something else does this first. */
  catchUp(member: Member): void {
    this.#send(member, Infinity);
  }

  /** Begins to send what there is now; resolves once every member has been sent all. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#round) return this.#round;
    const round = this.#goRound();
    if (this.#log.size === 0) return round;
    return this.#round = round.finally(() => this.#round = undefined);
  }

  /** Resolves when not much is on its way round and nobody has much left to take, or soon in any case. */
  async ready(): Promise<void> {
    if (this.#log.size >= HIGH_WATER_MARK) {
      await this.flush();
      await nextTurn();
    }
    await this.#waitForSlowConsumers();
  }

  /** Goes round until nobody lacks anything; a flood goes at the pace of those who read. */
  async #goRound(): Promise<void> {
    const budget = new TurnBudget(TURN);
    while (this.#log.size > 0) {
      const behind: Subscriber[] = [];
      for (const member of this.#places.keys()) {
        this.#send(member, PIECE);
        if (this.#slowConsumers.isBehind(member.subscriber)) behind.push(member.subscriber);
        const turn = budget.spend();
        if (turn) await turn;
      }
      this.#behind = behind;
      this.#caughtUp = undefined;
      this.#log.forget(this.#oldestPlace());
      if (this.#log.size > 0) {
        await nextTurn();
        await this.#waitForSlowConsumers();
      }
    }
  }

  #send(member: Member, limit: number): void {
    const place = this.#places.get(member);
    if (place === undefined || place === this.#log.end) return;
    if (member.subscriber.isGone) {
      this.#places.set(member, this.#log.end);
      return;
    }
    const { bytes, end } = this.#log.read(place, { limit, reader: member });
    this.#places.set(member, end);
    if (bytes.length === 0) return;
    try {
      member.subscriber.send(bytes);
    } catch (error) {
      tasks.fail(error);
    }
  }

  #oldestPlace(): number {
    let oldest = this.#log.end;
    for (const place of this.#places.values()) oldest = Math.min(oldest, place);
    return oldest;
  }

  /** One wait for all who ask after the same round. */
  #waitForSlowConsumers(): Promise<void> {
    return this.#caughtUp ??= this.#slowConsumers.waitFor(this.#behind);
  }
}
