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
import { Line } from "./line.ts";
import type { Peer } from "./peer.ts";
import { Peers } from "./peers.ts";
import type { Presence, Reach, Room } from "./room.ts";
import type { Traffic } from "./status.ts";
import { Told } from "./told.ts";
import {
  type Claim,
  encode,
  encodeRoster,
  type Facts,
  type Message,
  type Roster,
  type Want,
} from "./wire.ts";

/** How often a server says that it is there, and when its silence is taken for its end, in milliseconds. */
const BEAT = 2_000;
const SILENCE = 8_000;

/** How long those who miss something may gather before it is sent again, to all of them at once. */
const GATHER = 20;

/** How many names are told when many go at once. */
const NAMED = 20;

/** Which room is linked, and by whom. */
export interface LinkOptions {
  /** Tells this server from all others. */
  readonly origin: string;
  /** What this server calls itself, for people. */
  readonly server: string;
}

/** Joins a room to its namesakes. */
export class Link implements Reach, Disposable {
  readonly #room: Room;
  readonly #origin: string;
  readonly #server: string;
  readonly #told = new Told();
  readonly #lines: Line[] = [];
  readonly #peers = new Peers();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again: number | undefined;
  #beatAt = -Infinity;

  /** A link of this room. */
  constructor(room: Room, { origin, server }: LinkOptions) {
    this.#room = room;
    this.#origin = origin;
    this.#server = server;
    room.extend(this);
  }

  /** Reaches others over one more bus. */
  plug(bus: Bus, { topic, traffic }: { topic: Topic; traffic: Traffic }): void {
    const line = new Line(bus, {
      topic,
      traffic,
      told: this.#told,
      pace: () => this.#room.listened(),
    });
    line.listen(this.#origin, (message) => this.#hear(message, line));
    this.#lines.push(line);
  }

  /** Bytes that wait here until they can be handed to the bus. */
  queuedFor(bus: Bus): number {
    return this.#lineOf(bus)?.queued ?? 0;
  }

  /** Is told that a bus takes messages; `back`, where it was lost before. */
  up(bus: Bus, { back }: { back: boolean }): void {
    const line = this.#lineOf(bus);
    if (!line || line.up) return;
    const dropped = line.resume(performance.now());
    if (back) this.#room.notice("the bus is back");
    if (dropped > 0) {
      this.#room.notice(`${dropped} messages did not fit in the queue: they are lost`);
    }
    this.#beat({ hello: true });
    this.#schedule(0);
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
    this.#told.add(fact);
    this.#schedule(0);
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
    return Math.max(0, ...this.#lines.map(({ bus }) => bus.waiting));
  }

  /** Resolves when the buses have sent what was waiting. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#lines.map(({ bus }) => bus.caughtUp()));
  }

  /**
   * Says now and then that this server is there, and finds out who is not any more. After this server has
   * `slept` itself, nobody's silence means anything.
   */
  tick(now: number, { slept }: { slept: boolean }): void {
    if (now - this.#beatAt >= BEAT) this.#beat({ hello: false });
    for (const [origin, peer] of this.#peers.speaking()) {
      if (slept) peer.heard(now);
      if (peer.quietFor(now) >= SILENCE) this.#gone(peer);
      else if (peer.isMissing) this.#ask(origin, peer);
    }
  }

  /** Says goodbye. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#flush();
    this.#send(encode({ kind: "bye", origin: this.#origin }));
    for (const line of this.#lines.splice(0)) line[Symbol.dispose]();
  }

  /** Whether it was a message of another server's. */
  #hear(message: Message, line: Line): boolean {
    if (message.origin === this.#origin) return false;
    const peer = this.#peers.hear(message.origin, performance.now());
    if (!peer) return false;
    peer.isWorker ||= line.bus.isLocal;
    switch (message.kind) {
      case "beat":
        if (message.hello) this.#schedule(GATHER, { beat: true });
        peer.hasTold(message.seq);
        break;
      case "facts":
        this.#take(message, peer);
        break;
      case "roster":
        this.#meet(message, { peer, line });
        break;
      case "want":
        if (message.to === this.#origin) this.#answer(message, line);
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
    if (names.length === 0 || !this.#lines.every(({ up }) => up)) return;
    const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : "";
    this.#room.notice(`left with their server: ${names.slice(0, NAMED).join(", ")}${more}`);
  }

  #ask(to: string, peer: Peer): void {
    const question = peer.ask(performance.now());
    if (question) this.#send(encode({ kind: "want", origin: this.#origin, to, ...question }));
  }

  #answer({ origin, after, roster }: Want, line: Line): void {
    const { seq, first } = this.#told;
    // To somebody new, what is said from now on is due, and what waited for the bus that has just come up.
    const { at, from: waited } = line.resumed;
    const start = performance.now() - at < SILENCE ? waited : seq + 1;
    const from = Math.min(Math.max(after === undefined ? start : after + 1, first), seq + 1);
    if (roster || (after !== undefined && from > after + 1)) {
      this.#sendRoster(from, { origin, line });
    }
    this.#again = Math.min(this.#again ?? Infinity, from - 1);
    this.#schedule(GATHER);
  }

  #sendRoster(from: number, { origin: to, line }: { origin: string; line: Line }): void {
    const claims = Array.from(this.#room.members(), ({ name, claimed }): Claim => [name, claimed]);
    const about = { origin: this.#origin, server: this.#server, seq: this.#told.seq, from };
    for (const message of encodeRoster(claims, about)) line.send(message, to);
  }

  #beat({ hello }: { hello: boolean }): void {
    this.#beatAt = performance.now();
    this.#send(encode({ kind: "beat", origin: this.#origin, seq: this.#told.seq, hello }));
  }

  #send(message: Uint8Array): void {
    for (const line of this.#lines) line.send(message);
  }

  /** Lets what is to be sent gather for a moment, so that it goes in few messages. */
  #schedule(delay: number, { beat = false }: { beat?: boolean } = {}): void {
    if (beat) this.#beatAt = -Infinity;
    if (this.#lines.length === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#beatAt === -Infinity) this.#beat({ hello: false });
      this.#flush();
    }, delay);
  }

  #flush(): void {
    for (const line of this.#lines) line.flush(this.#origin, this.#again);
    this.#again = undefined;
  }

  async #recall(line: Line): Promise<void> {
    try {
      this.#room.history.merge(await line.recall());
    } catch {
      // The bus went while it was asked. The history of this server remains, and it is asked anew once it is back.
    }
  }

  #lineOf(bus: Bus): Line | undefined {
    return this.#lines.find((line) => line.bus === bus);
  }
}
