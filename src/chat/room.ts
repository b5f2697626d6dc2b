/**
 * A chat room and its members.
 *
 * @module
 */
import { SlowConsumerPolicy, type Subscriber } from "./backpressure.ts";
import { formatLine, isChatMessage, type RoomEvent } from "./message.ts";
import { History } from "./history.ts";
import { HOST, isName, isOperators, keyOf } from "./name.ts";
import { FanOut } from "./fan_out.ts";
import type { Presence, RemoteMembers } from "./remote_members.ts";

/** The range of random guest numbers with a bus, where two servers' counters would collide. */
const GUEST_NUMBERS = 99_999;

const encoder = new TextEncoder();

/** A room. Lines go to all members but the sender. */
export class Room {
  /** The name. */
  readonly name: string;
  /** The last messages. */
  readonly history: History = new History();
  readonly #members = new Map<string, Member>();
  readonly #fanOut = new FanOut<Member>();
  readonly #onEmpty: () => void;
  #guests = 0;
  #lastGuestNumber = 0;
  #remote: RemoteMembers | undefined;

  /** An empty room; `onEmpty` is called when its last guest on this server has left. */
  constructor(name: string, { onEmpty = () => {} }: { onEmpty?: () => void } = {}) {
    this.name = name;
    this.#onEmpty = onEmpty;
  }

  /** Attaches the members on other nodes, and publishes those of this server to them. */
  attachBus(remote: RemoteMembers): void {
    this.#remote = remote;
    for (const { name, claimed } of this.#members.values()) {
      remote.post({ fact: "joined", name, claimed });
    }
  }

  /** The names of all members, on all servers. */
  who(): string[] {
    return Array.from(this.everyone(), ({ name }) => name);
  }

  /** All members on all servers; those on this server first. */
  *everyone(): Generator<Presence> {
    for (const { name } of this.#members.values()) yield { name, server: undefined };
    yield* this.#remote?.everyone() ?? [];
  }

  /** Member counts by server; `undefined` is the key of this server. */
  sizes(): Map<string | undefined, number> {
    const sizes = new Map(this.#remote?.sizes());
    return sizes.set(undefined, this.size + (sizes.get(undefined) ?? 0));
  }

  /** The number of members on all servers. */
  get count(): number {
    return this.sizes().values().reduce((sum, size) => sum + size, 0);
  }

  /** The members on this server. */
  members(): Iterable<Member> {
    return this.#members.values();
  }

  /** The number of members on this server. */
  get size(): number {
    return this.#members.size;
  }

  /** The member of this name on this server. */
  find(name: string): Member | undefined {
    return this.#members.get(keyOf(name));
  }

  /** Whether any member on any server has this name. */
  has(name: string): boolean {
    return this.find(name) !== undefined || this.#remote?.isTaken(keyOf(name)) === true;
  }

  /** Whether there are members other than operators on this server. */
  get hasGuests(): boolean {
    return this.#guests > 0;
  }

  /** Adds a guest or an operator and publishes it. Disposing the member removes it. */
  join(subscriber: Subscriber, { as = "guest" }: { as?: MemberRole } = {}): Member {
    const member = new Member(this, { subscriber, role: as, name: this.#freeName(as) });
    if (as === "guest") this.#guests++;
    this.#members.set(keyOf(member.name), member);
    this.#fanOut.addMember(member);
    this.#publish({ fact: "joined", name: member.name, claimed: member.claimed }, member);
    return member;
  }

  /** Removes a member and publishes it. */
  leave(member: Member): void {
    if (this.find(member.name) !== member) return;
    this.#fanOut.removeMember(member);
    this.#members.delete(keyOf(member.name));
    this.#publish({ fact: "left", name: member.name });
    if (member.role === "guest" && --this.#guests === 0) this.#onEmpty();
  }

  /**
   * Renames a member.
   *
   * @returns why the name is refused, or `undefined`
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

  /** Renames a member whose name was registered earlier on another server. */
  renameByConflict(member: Member): void {
    const name = this.#freeName(member.role);
    const lost = member.name;
    this.#rename(member, name);
    this.catchUp(member);
    member.subscriber.send(
      encoder.encode(`* ${lost} is taken on another server: you are ${name}\n`),
    );
  }

  /** Sends a member's message to the others. */
  say(member: Member, text: string): void {
    this.#publish({ fact: "said", name: member.name, text, at: Date.now() }, member);
  }

  /** Sends a member's action to the others: `* NAME waves`. */
  act(member: Member, text: string): void {
    this.#publish({ fact: "acted", name: member.name, text, at: Date.now() }, member);
  }

  /** Shows an event of any server to the members on this server. */
  deliver(event: RoomEvent, except?: Member): void {
    if (isChatMessage(event)) this.history.add(event);
    this.#show(formatLine(event), except);
  }

  /** Shows a notice to the members on this server. */
  notice(text: string): void {
    this.#show(`* ${text}\n`);
  }

  /** Resolves when no member and no bus is slow, or after the longest wait. */
  async pace(): Promise<void> {
    // A new policy each time, so that a slow bus is always waited for, as it drops what it cannot
    // queue.
    const bus = this.#remote && new SlowConsumerPolicy().waitFor([this.#remote]);
    await Promise.all([this.ready(), bus]);
  }

  /** The same for the members on this server only; events from the bus wait for it. */
  ready(): Promise<void> {
    return this.#fanOut.ready();
  }

  /** Sends pending lines now; resolves once all members were sent them. */
  flush(): Promise<void> {
    return this.#fanOut.flush();
  }

  /** Sends a member its pending lines at once. Call it before writing to the member directly. */
  catchUp(member: Member): void {
    this.#fanOut.catchUp(member);
  }

  #publish(event: RoomEvent, except?: Member): void {
    this.deliver(event, except);
    this.#remote?.post(event);
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

  /** The next number without a bus, a random one with it; the range doubles with each attempt. */
  #number(attempt: number): number {
    if (!this.#remote) return ++this.#lastGuestNumber;
    const range = Math.max(GUEST_NUMBERS, 10 * this.size) * 2 ** attempt;
    return 2 + Math.floor(Math.random() * Math.min(range, Number.MAX_SAFE_INTEGER));
  }
}

/** Guests are clients; operators are members for as long as the server runs. */
export type MemberRole = "guest" | "operator";

/** A member on this server. */
export class Member implements Disposable {
  /** The name; {@linkcode Room.rename} changes it. */
  name: string;
  /** When the name was registered, in milliseconds since 1970. */
  claimed: number = Date.now();
  /** The room. */
  readonly room: Room;
  /** The role. */
  readonly role: MemberRole;
  /** The connection. */
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
