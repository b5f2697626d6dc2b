/**
 * A chat room: who is in it, and how what one says reaches the others.
 *
 * @module
 */
import { type Consumer, SlowConsumerPolicy, type Subscriber } from "./backpressure.ts";
import { formatLine, isChatMessage, type RoomEvent } from "./message.ts";
import { History } from "./history.ts";
import { HOST, isName, isOperators, keyOf } from "./name.ts";
import { FanOut } from "./fan_out.ts";

/** How a room reaches the room of the same name in other workers or on other servers. */
export interface RemoteMembers extends Consumer {
  /** Tells the others what happened here; never waits. */
  post(fact: RoomEvent): void;
  /** Those who are in the room elsewhere. */
  everyone(): Iterable<Presence>;
  /** How many those are, by server; by `undefined`, in other workers of this one. */
  sizes(): ReadonlyMap<string | undefined, number>;
  /** Whether somebody elsewhere has the name with this key. */
  isTaken(key: string): boolean;
}

/** Somebody in a room, wherever. */
export interface Presence {
  /** What they are called. */
  readonly name: string;
  /** What their server calls itself; `undefined` where it is this one. */
  readonly server: string | undefined;
}

/** Guests of a room that reaches other servers draw a number, since two servers that count would count alike. */
const NUMBERS = 99_999;

const encoder = new TextEncoder();

/** A room. Lines go to everyone in it but the one who speaks. */
export class Room {
  /** What it is called. */
  readonly name: string;
  /** What was said in it lately. */
  readonly history: History = new History();
  readonly #members = new Map<string, Member>();
  readonly #rounds = new FanOut(() => this.#members.values());
  #guests = 0;
  #reach: RemoteMembers | undefined;

  /** An empty room. */
  constructor(name: string) {
    this.name = name;
  }

  /** Reaches others from now on, who are told what happens here. */
  attachBus(reach: RemoteMembers): void {
    this.#reach = reach;
    for (const { name, claimed } of this.#members.values()) {
      reach.post({ fact: "joined", name, claimed });
    }
  }

  /** The names of those who are in the room, wherever. */
  who(): string[] {
    return Array.from(this.everyone(), ({ name }) => name);
  }

  /** Those who are in the room, wherever; those on this server first. */
  *everyone(): Generator<Presence> {
    for (const { name } of this.#members.values()) yield { name, server: undefined };
    yield* this.#reach?.everyone() ?? [];
  }

  /** How many those are, by server; by `undefined`, on this one. */
  sizes(): Map<string | undefined, number> {
    const sizes = new Map(this.#reach?.sizes());
    return sizes.set(undefined, this.size + (sizes.get(undefined) ?? 0));
  }

  /** Those who are in the room on this server. */
  members(): Iterable<Member> {
    return this.#members.values();
  }

  /** How many those are. */
  get size(): number {
    return this.#members.size;
  }

  /** Who has this name on this server. */
  find(name: string): Member | undefined {
    return this.#members.get(keyOf(name));
  }

  /** Whether somebody has this name, wherever. */
  has(name: string): boolean {
    return this.find(name) !== undefined || this.#reach?.isTaken(keyOf(name)) === true;
  }

  /** Brings in a guest, or an operator; the others are told. Disposing the member lets it leave. */
  join(ear: Subscriber, { as = "guest" }: { as?: "guest" | "operator" } = {}): Member {
    this.flush();
    const member = new Member(this, ear, this.#freeName(as));
    this.#members.set(keyOf(member.name), member);
    this.#publish({ fact: "joined", name: member.name, claimed: member.claimed }, member);
    return member;
  }

  /** Takes somebody out; the others are told. */
  leave(member: Member): void {
    if (this.find(member.name) !== member) return;
    this.flush();
    this.#members.delete(keyOf(member.name));
    this.#publish({ fact: "left", name: member.name });
  }

  /**
   * Gives a member another name.
   *
   * @returns why that can't be, or `undefined` when it is done
   */
  rename(member: Member, name: string): string | undefined {
    if (!isName(name)) {
      return "a name is 1 to 24 letters, digits, '.', '_' or '-', and begins with a letter or digit";
    }
    if (isOperators(name)) return `${name} is an operator's name`;
    if (this.has(name) && this.find(name) !== member) return `${name} is taken`;
    this.#rename(member, name);
    return undefined;
  }

  /** Takes a member's name away, because somebody elsewhere asked for it earlier. */
  renameByConflict(member: Member): void {
    const name = this.#freeName(isOperators(member.name) ? "operator" : "guest");
    const lost = member.name;
    this.#rename(member, name);
    this.flush();
    member.ear.hear(encoder.encode(`* ${lost} was asked for earlier elsewhere: you are ${name}\n`));
  }

  /** Tells everyone but the speaker, in the speaker's name. */
  say(member: Member, text: string): void {
    this.#publish({ fact: "said", name: member.name, text, at: Date.now() }, member);
  }

  /** Tells everyone but the one who acts what it does: `* NAME waves`. */
  act(member: Member, text: string): void {
    this.#publish({ fact: "acted", name: member.name, text, at: Date.now() }, member);
  }

  /** Tells a fact from wherever to those who are here. */
  tell(fact: RoomEvent, except?: Member): void {
    if (isChatMessage(fact)) this.history.add(fact);
    this.#show(formatLine(fact), except);
  }

  /** Tells those who are here something about the room itself. */
  notice(text: string): void {
    this.#show(`* ${text}\n`);
  }

  /**
   * Resolves when nobody has much left to take, or soon in any case: a room goes at the pace of those
   * who read, and does not wait for those who don't. A speaker waits here between lines.
   */
  async pace(): Promise<void> {
    // The bus is waited for however long it has been slow: what does not fit in its queue is lost.
    const bus = this.#reach && new SlowConsumerPolicy().waitFor([this.#reach]);
    await Promise.all([this.listened(), bus]);
  }

  /** The same of those who are here: what comes from elsewhere waits for them. */
  listened(): Promise<void> {
    return this.#rounds.listened();
  }

  /**
   * Tells the members what has still to go round, which happens by itself once all that has come at the same time
   * is told. Whoever tells one of them something in between does this first.
   */
  flush(): void {
    this.#rounds.flush();
  }

  /** The same, and waits until those who speak may go on. */
  async waitForSlowConsumers(): Promise<void> {
    await this.#rounds.settle();
  }

  #publish(fact: RoomEvent, except?: Member): void {
    this.tell(fact, except);
    this.#reach?.post(fact);
  }

  #show(line: string, except?: Member): void {
    if (this.size === 0) return;
    this.#rounds.tell(encoder.encode(line), except);
  }

  #rename(member: Member, to: string): void {
    const { name } = member;
    this.#members.delete(keyOf(name));
    member.name = to;
    member.claimed = Date.now();
    this.#members.set(keyOf(to), member);
    this.#publish({ fact: "renamed", name, to, claimed: member.claimed }, member);
  }

  #freeName(as: "guest" | "operator"): string {
    for (let i = 1;; i++) {
      const name = as === "guest"
        ? `guest-${this.#guestNumber()}`
        : (i === 1 ? HOST : `${HOST}-${i}`);
      if (!this.has(name)) return name;
    }
  }

  #guestNumber(): number {
    if (!this.#reach) return ++this.#guests;
    return 1 + Math.floor(Math.random() * Math.max(NUMBERS, 10 * this.size));
  }
}

/** Somebody in a room. */
export class Member implements Disposable {
  /** What the others see in front of its lines; {@linkcode Room.rename} changes it. */
  name: string;
  /** When it asked for that name, in milliseconds since 1970. */
  claimed: number = Date.now();
  /** The room that it is in. */
  readonly room: Room;
  /** How it is reached. */
  readonly ear: Subscriber;

  /** Made by {@linkcode Room.join}. */
  constructor(room: Room, ear: Subscriber, name: string) {
    this.room = room;
    this.ear = ear;
    this.name = name;
  }

  /** Leaves the room. */
  [Symbol.dispose](): void {
    this.room.leave(this);
  }
}
