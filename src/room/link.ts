/**
 * What makes rooms of the same name on several servers one room.
 *
 * Every server numbers what happens in its part of the room and tells the others, over buses that may
 * lose messages, or carry them twice. Each keeps the order of each other's facts, notices what is missing and
 * asks for it again. Who is where follows from the facts.
 *
 * @module
 */
import type { Bus, Topic } from "./bus.ts";
import type { Fact } from "./fact.ts";
import type { Line } from "./line.ts";
import type { Peer } from "./peer.ts";
import { Peers } from "./peers.ts";
import type { Presence, Reach, Room } from "./room.ts";
import type { Traffic } from "./status.ts";
import { type Speaker, Voice } from "./voice.ts";
import type { Claim, Facts, Message, Roster } from "./wire.ts";

/** When a server's silence is taken for its end, in milliseconds. */
const SILENCE = 8_000;

/** How many names are told when many go at once. */
const NAMED = 20;

/** Joins a room to its namesakes: speaks to them, and listens. */
export class Link implements Reach, Disposable {
  readonly #room: Room;
  readonly #origin: string;
  readonly #voice: Voice;
  readonly #peers = new Peers();

  /** A link of this room. */
  constructor(room: Room, speaker: Speaker) {
    this.#room = room;
    this.#origin = speaker.origin;
    this.#voice = new Voice(room, speaker);
    room.extend(this);
  }

  /** Reaches others over one more bus. */
  plug(bus: Bus, { topic, traffic }: { topic: Topic; traffic: Traffic }): void {
    const line = this.#voice.plug(bus, { topic, traffic, pace: () => this.#room.listened() });
    line.listen(this.#origin, (message) => this.#hear(message, line));
  }

  /** Bytes that wait here until they can be handed to the bus. */
  queuedFor(bus: Bus): number {
    return this.#lineOf(bus)?.queued ?? 0;
  }

  /** Is told that a bus takes messages; `back`, where it was lost before. */
  up(bus: Bus, { back }: { back: boolean }): void {
    const line = this.#lineOf(bus);
    if (!line || line.up) return;
    const dropped = this.#voice.greet(line);
    if (back) this.#room.notice("the bus is back");
    if (dropped > 0) {
      this.#room.notice(`${dropped} messages did not fit in the queue: they are lost`);
    }
    if (this.#room.history.limit > 0) this.#recall(line);
  }

  /** Is told that a bus was lost. */
  down(bus: Bus): void {
    const line = this.#lineOf(bus);
    if (!line) return;
    line.up = false;
    this.#room.notice("the bus is down: until it is back, only those on this server hear you");
  }

  /** Tells the others. */
  post(fact: Fact): void {
    this.#voice.tell(fact);
  }

  /** Those who are in the room elsewhere. */
  everyone(): Iterable<Presence> {
    return this.#peers.everyone();
  }

  /** How many those are, by server; by `undefined`, in other workers of this one. */
  sizes(): ReadonlyMap<string | undefined, number> {
    return this.#peers.sizes();
  }

  /** Whether somebody elsewhere has the name with this key. */
  isTaken(key: string): boolean {
    return this.#peers.has(key);
  }

  /** Bytes that the slowest bus has still to send. */
  get waiting(): number {
    return Math.max(0, ...this.#voice.lines.map(({ bus }) => bus.waiting));
  }

  /** Resolves when the buses have sent what was waiting. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#voice.lines.map(({ bus }) => bus.caughtUp()));
  }

  /**
   * Says now and then that this server is there, and finds out who is not any more. After this server has
   * `slept` itself, nobody's silence means anything.
   */
  tick(now: number, { slept }: { slept: boolean }): void {
    this.#voice.tick(now);
    for (const [origin, peer] of this.#peers.speaking()) {
      if (slept) peer.heard(now);
      if (peer.quietFor(now) >= SILENCE) this.#gone(peer);
      else if (peer.isMissing) this.#ask(origin, peer);
    }
  }

  /** Says goodbye. */
  [Symbol.dispose](): void {
    this.#voice[Symbol.dispose]();
  }

  /** Whether it was a message of another server's. */
  #hear(message: Message, line: Line): boolean {
    if (message.origin === this.#origin) return false;
    const peer = this.#peers.hear(message.origin, performance.now());
    if (!peer) return false;
    peer.isWorker ||= line.bus.isLocal;
    switch (message.kind) {
      case "beat":
        if (message.hello) this.#voice.greetBack();
        peer.hasTold(message.seq);
        break;
      case "facts":
        this.#take(message, peer);
        break;
      case "roster":
        this.#meet(message, { peer, line });
        break;
      case "want":
        if (message.to === this.#origin) this.#voice.answer(message, line);
        break;
      case "bye":
        this.#gone(peer);
        this.#peers.forget(message.origin);
        return true;
    }
    if (peer.isMissing) this.#ask(message.origin, peer);
    return true;
  }

  #take(message: Facts, peer: Peer): void {
    for (const fact of peer.take(message)) {
      this.#room.tell(fact);
      if (fact.fact === "joined") this.#settle([fact.name, fact.claimed], message.origin);
      if (fact.fact === "renamed") this.#settle([fact.to, fact.claimed], message.origin);
    }
  }

  #meet(message: Roster, { peer, line }: { peer: Peer; line: Line }): void {
    const isNew = !peer.knowsMembers;
    const lost = peer.takeRoster(message);
    if (lost === undefined) return;
    line.traffic.lost += lost;
    if (lost > 0) this.#room.notice(`${lost} messages from elsewhere are lost`);
    const { size } = peer.members;
    if (isNew && size > 0) this.#room.notice(`${size} more here, from another server`);
    peer.silent = false;
    for (const claim of peer.members.values()) this.#settle(claim, message.origin);
  }

  /** Whoever asked for a name first keeps it; of two at the same time, the one on the server that sorts first. */
  #settle([name, claimed]: Claim, origin: string): void {
    const member = this.#room.find(name);
    if (!member) return;
    const isTheirs = claimed < member.claimed ||
      (claimed === member.claimed && origin < this.#origin);
    if (isTheirs) this.#room.displace(member);
  }

  #gone(peer: Peer): void {
    const names = peer.forget().map(([name]) => name);
    // While a bus is down, the silence may be ours.
    if (names.length === 0 || !this.#voice.lines.every(({ up }) => up)) return;
    const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : "";
    this.#room.notice(`left with their server: ${names.slice(0, NAMED).join(", ")}${more}`);
  }

  #ask(to: string, peer: Peer): void {
    const question = peer.ask(performance.now());
    if (question) this.#voice.ask(to, question);
  }

  async #recall(line: Line): Promise<void> {
    try {
      this.#room.history.merge(await line.recall());
    } catch {
      // The bus went while it was asked. The history of this server remains, and it is asked anew once it is back.
    }
  }

  #lineOf(bus: Bus): Line | undefined {
    return this.#voice.lines.find((line) => line.bus === bus);
  }
}
