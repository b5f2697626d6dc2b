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
  readonly #fanOut = new FanOut<Member>();
  readonly #onEmpty: () => void;
  #guests = 0;
  #lastGuestNumber = 0;
  #remote: RemoteMembers | undefined;

  /** An empty room. `onEmpty` is called whenever its last guest on this server has left. */
  constructor(name: string, { onEmpty = () => {} }: { onEmpty?: () => void } = {}) {
    this.name = name;
    this.#onEmpty = onEmpty;
  }

  /** Reaches others from now on, who are told what happens here. */
  attachBus(remote: RemoteMembers): void {
    this.#remote = remote;
    for (const { name, claimed } of this.#members.values()) {
      remote.post({ fact: "joined", name, claimed });
    }
  }

  /** The names of those who are in the room, wherever. */
  who(): string[] {
    return Array.from(this.everyone(), ({ name }) => name);
  }

  /** Those who are in the room, wherever; those on this server first. */
  *everyone(): Generator<Presence> {
    for (const { name } of this.#members.values()) yield { name, server: undefined };
    yield* this.#remote?.everyone() ?? [];
  }

  /** How many those are, by server; by `undefined`, on this one. */
  sizes(): Map<string | undefined, number> {
    const sizes = new Map(this.#remote?.sizes());
    return sizes.set(undefined, this.size + (sizes.get(undefined) ?? 0));
  }

  /** How many are in the room, wherever. */
  get count(): number {
    return this.sizes().values().reduce((sum, size) => sum + size, 0);
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
    return this.find(name) !== undefined || this.#remote?.isTaken(keyOf(name)) === true;
  }

  /** Whether anybody but operators is in the room on this server. */
  get hasGuests(): boolean {
    return this.#guests > 0;
  }

  /** Brings in a guest, or an operator; the others are told. Disposing the member lets it leave. */
  join(subscriber: Subscriber, { as = "guest" }: { as?: MemberRole } = {}): Member {
    const member = new Member(this, { subscriber, role: as, name: this.#freeName(as) });
    if (as === "guest") this.#guests++;
    this.#members.set(keyOf(member.name), member);
    this.#fanOut.enter(member);
    this.#publish({ fact: "joined", name: member.name, claimed: member.claimed }, member);
    return member;
  }

  /** Takes somebody out; the others are told. */
  leave(member: Member): void {
    if (this.find(member.name) !== member) return;
    this.#fanOut.leave(member);
    this.#members.delete(keyOf(member.name));
    this.#publish({ fact: "left", name: member.name });
    if (member.role === "guest" && --this.#guests === 0) this.#onEmpty();
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
    const name = this.#freeName(member.role);
    const lost = member.name;
    this.#rename(member, name);
    this.catchUp(member);
    member.subscriber.send(
      encoder.encode(`* ${lost} is taken on another server: you are ${name}\n`),
    );
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
    const bus = this.#remote && new SlowConsumerPolicy().waitFor([this.#remote]);
    await Promise.all([this.ready(), bus]);
  }

  /** The same of those who are here: what comes from elsewhere waits for them. */
  ready(): Promise<void> {
    return this.#fanOut.ready();
  }

  /** Tells the members what has still to go round, which happens by itself; resolves when all have been told. */
  flush(): Promise<void> {
    return this.#fanOut.flush();
  }

  /** Tells one member at once what has still to go round: whoever tells it something else does this first. */
  catchUp(member: Member): void {
    this.#fanOut.catchUp(member);
  }

  #publish(fact: RoomEvent, except?: Member): void {
    this.tell(fact, except);
    this.#remote?.post(fact);
  }

  #show(line: string, except?: Member): void {
    if (this.size === 0) return;
    this.#fanOut.add(encoder.encode(line), except);
  }

  #rename(member: Member, to: string): void {
    const { name } = member;
    this.#members.delete(keyOf(name));
    member.name = to;
    member.claimed = Date.now();
    this.#members.set(keyOf(to), member);
    this.#publish({ fact: "renamed", name, to, claimed: member.claimed }, member);
  }

  #freeName(role: MemberRole): string {
    if (role === "operator" && !this.has(HOST)) return HOST;
    const prefix = role === "operator" ? HOST : "guest";
    for (let attempt = 0;; attempt++) {
      const name = `${prefix}-${this.#number(attempt)}`;
      if (!this.has(name)) return name;
    }
  }

  /** A number that is free on this server, or most likely everywhere: the range doubles until one is. */
  #number(attempt: number): number {
    if (!this.#remote) return ++this.#lastGuestNumber;
    const range = Math.max(NUMBERS, 10 * this.size) * 2 ** attempt;
    return 2 + Math.floor(Math.random() * Math.min(range, Number.MAX_SAFE_INTEGER));
  }
}

/** Guests come and go; operators are there as long as the server is. */
export type MemberRole = "guest" | "operator";

/** Somebody in a room. */
export class Member implements Disposable {
  /** What the others see in front of its lines; {@linkcode Room.rename} changes it. */
  name: string;
  /** When it asked for that name, in milliseconds since 1970. */
  claimed: number = Date.now();
  /** The room that it is in. */
  readonly room: Room;
  /** What it is there. */
  readonly role: MemberRole;
  /** How it is reached. */
  readonly subscriber: Subscriber;

  /** Made by {@linkcode Room.join}. */
  constructor(
    room: Room,
    { subscriber, role, name }: Pick<Member, "subscriber" | "role" | "name">,
  ) {
    this.room = room;
    this.subscriber = subscriber;
    this.role = role;
    this.name = name;
  }

  /** Leaves the room. */
  [Symbol.dispose](): void {
    this.room.leave(this);
  }
}
