/**
 * A member of a room inside the test, which records the lines that it receives.
 *
 * @module
 */
import type { Member, Room } from "../../src/chat/room.ts";

/** Time limit for a line, in milliseconds. */
const TIME_LIMIT = 20_000;

/** A member of a room. */
export class TestMember {
  readonly member: Member;
  /** Received lines, without newlines. */
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(room: Room) {
    this.member = room.join({
      send: (lines) => {
        this.lines.push(...new TextDecoder().decode(lines).split("\n").slice(0, -1));
        for (const look of this.#waiting) look();
      },
      waiting: 0,
      caughtUp: () => Promise.resolve(),
      isClosed: false,
      disconnect: () => {},
    });
  }

  /** Resolves when a line has been received, to the number of times. */
  async receives(line: string | RegExp): Promise<number> {
    const fits = (received: string) =>
      typeof line === "string" ? received === line : line.test(received);
    const times = () => this.lines.filter(fits).length;
    await this.#until(() => times() > 0, () => `${line} was not received, but ${this.#summary()}`);
    return times();
  }

  /** Resolves when a member of this name is in the room. */
  async seesMember(name: string): Promise<void> {
    const { room } = this.member;
    await this.#until(() => room.has(name), () => `${name} is not here, but ${room.who()}`);
  }

  async #until(holds: () => boolean, otherwise: () => string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(otherwise())), TIME_LIMIT);
    const look = () => holds() && resolve();
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  #summary(): string {
    return JSON.stringify(this.lines.slice(-20)).slice(0, 2000);
  }
}
