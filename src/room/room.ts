/**
 * A chat room: who is in it, and how what one says reaches the others.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { printable } from "../observe/printable.ts";

/** How a room reaches somebody in it. */
export interface Ear {
  /** Takes a line, with its newline; never waits. */
  hear(line: Uint8Array): void;
  /** Bytes that this member has still to take. */
  readonly waiting: number;
  /** Resolves when the member has taken what was waiting. */
  caughtUp(): Promise<void>;
  /** Sends the member away, with the reason. */
  dismiss(reason: string): void;
}

/** Bytes that may wait for a member before speakers wait for it. */
const MUCH = 64 * 1024;

/** The longest that a speaker waits for somebody who does not read, in milliseconds. */
const PATIENCE = 50;

/** The operator's name, which no guest can take. */
export const HOST = "host";

/** Names are letters, digits, `-`, `_` and `.`, at most 24. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,23}$/u;

const encoder = new TextEncoder();

/** A room. Lines go to everyone in it but the one who speaks. */
export class Room {
  /** What it is called. */
  readonly name: string;
  readonly #members = new Map<string, Member>();
  #guests = 0;

  /** An empty room. */
  constructor(name: string) {
    this.name = name;
  }

  /** The names of those who are in the room. */
  get names(): string[] {
    return [...this.#members.values()].map((member) => member.name);
  }

  /** Brings somebody in as `guest-N`, or under the name given; the others are told. Disposing the member lets it leave. */
  join(ear: Ear, { name }: { name?: string } = {}): Member {
    const member = new Member(this, ear, name ?? this.#nextGuest());
    this.#members.set(keyOf(member.name), member);
    this.#tell(`* ${member.name} joined\n`, member);
    return member;
  }

  /** Takes somebody out; the others are told. */
  leave(member: Member): void {
    if (!this.#isIn(member)) return;
    this.#members.delete(keyOf(member.name));
    this.#tell(`* ${member.name} left\n`);
  }

  /**
   * Gives a member another name.
   *
   * @returns why that can't be, or `undefined` when it is done
   */
  rename(member: Member, name: string): string | undefined {
    if (!NAME.test(name)) {
      return "a name is 1 to 24 letters, digits, '.', '_' or '-', and begins with a letter or digit";
    }
    if (keyOf(name) === HOST) return `${HOST} is the operator's name`;
    const holder = this.#members.get(keyOf(name));
    if (holder !== undefined && holder !== member) return `${name} is taken`;
    this.#members.delete(keyOf(member.name));
    const former = member.name;
    member.name = name;
    this.#members.set(keyOf(name), member);
    this.#tell(`* ${former} is now ${name}\n`, member);
    return undefined;
  }

  /** Tells everyone but the speaker, in the speaker's name. */
  say(member: Member, text: string): void {
    this.#tell(`${member.name}> ${printable(text)}\n`, member);
  }

  /** Tells everyone but the one who acts what it does: `* NAME waves`. */
  act(member: Member, text: string): void {
    this.#tell(`* ${member.name} ${printable(text)}\n`, member);
  }

  /** Sends away whoever has this name; `false` where nobody has. */
  dismiss(name: string, reason: string): boolean {
    const member = this.#members.get(keyOf(name));
    member?.ear.dismiss(reason);
    return member !== undefined;
  }

  /**
   * Resolves when nobody has much left to take, or soon in any case: a room goes at the pace of those
   * who read, and does not wait for those who don't. A speaker waits here between lines.
   */
  async pace(): Promise<void> {
    const behind = [...this.#members.values()].filter(({ ear }) => ear.waiting > MUCH);
    if (behind.length === 0) return;
    await deadline(Promise.all(behind.map(({ ear }) => ear.caughtUp())), PATIENCE).catch(() => {});
  }

  #tell(line: string, except?: Member): void {
    const bytes = encoder.encode(line);
    for (const member of this.#members.values()) {
      if (member !== except) member.ear.hear(bytes);
    }
  }

  #isIn(member: Member): boolean {
    return this.#members.get(keyOf(member.name)) === member;
  }

  #nextGuest(): string {
    for (;;) {
      const name = `guest-${++this.#guests}`;
      if (!this.#members.has(keyOf(name))) return name;
    }
  }
}

/** Somebody in a room. */
export class Member implements Disposable {
  /** What the others see in front of its lines; {@linkcode Room.rename} changes it. */
  name: string;
  /** The room that it is in. */
  readonly room: Room;
  /** How it is reached. */
  readonly ear: Ear;

  /** Made by {@linkcode Room.join}. */
  constructor(room: Room, ear: Ear, name: string) {
    this.room = room;
    this.ear = ear;
    this.name = name;
  }

  /** Leaves the room. */
  [Symbol.dispose](): void {
    this.room.leave(this);
  }
}

/** Names that differ only in case or in how they are composed are the same name. */
function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
