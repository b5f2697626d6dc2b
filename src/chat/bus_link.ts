/**
 * What makes rooms of the same name on several servers one room.
 *
 * Every server numbers what happens in its part of the room and tells the others, over buses that may
 * lose messages, or carry them twice. Each keeps the order of each other's facts, notices what is missing and
 * asks for it again. Who is where follows from the facts.
 *
 * @module
 */
import type { Bus, Topic } from "./bus/bus.ts";
import type { RoomEvent } from "./message.ts";
import type { RoomChannel } from "./room_channel.ts";
import type { RemoteServer } from "./remote_server.ts";
import { RemoteServers } from "./remote_servers.ts";
import type { Presence, RemoteMembers, Room } from "./room.ts";
import type { Traffic } from "./status.ts";
import { type NodeIdentity, Publisher } from "./publisher.ts";
import type { Facts, Message, NameRegistration, Snapshot } from "./wire.ts";

/** When a server's silence is taken for its end, in milliseconds. */
const SILENCE = 8_000;

/** How many names are told when many go at once. */
const NAMED = 20;

/** Joins a room to its namesakes: speaks to them, and listens. */
export class BusLink implements RemoteMembers, Disposable {
  readonly #room: Room;
  readonly #origin: string;
  readonly #voice: Publisher;
  readonly #servers = new RemoteServers();

  /** A link of this room. */
  constructor(room: Room, speaker: NodeIdentity) {
    this.#room = room;
    this.#origin = speaker.nodeId;
    this.#voice = new Publisher(room, speaker);
    room.attachBus(this);
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
  post(fact: RoomEvent): void {
    this.#voice.tell(fact);
  }

  /** Those who are in the room elsewhere. */
  everyone(): Iterable<Presence> {
    return this.#servers.everyone();
  }

  /** How many those are, by server; by `undefined`, in other workers of this one. */
  sizes(): ReadonlyMap<string | undefined, number> {
    return this.#servers.sizes();
  }

  /** Whether somebody elsewhere has the name with this key. */
  isTaken(key: string): boolean {
    return this.#servers.has(key);
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
    for (const [origin, peer] of this.#servers.speaking()) {
      if (slept) peer.heard(now);
      if (peer.idleFor(now) >= SILENCE) this.#gone(peer);
      else if (peer.isMissing) this.#ask(origin, peer);
    }
  }

  /** Says goodbye. */
  [Symbol.dispose](): void {
    this.#voice[Symbol.dispose]();
  }

  /** Whether it was a message of another server's. */
  #hear(message: Message, line: RoomChannel): boolean {
    if (message.origin === this.#origin) return false;
    const peer = this.#servers.hear(message.origin, performance.now());
    if (!peer) return false;
    peer.isLocal ||= line.bus.isLocal;
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
        this.#servers.forget(message.origin);
        return true;
    }
    if (peer.isMissing) this.#ask(message.origin, peer);
    return true;
  }

  #take(message: Facts, peer: RemoteServer): void {
    for (const fact of peer.take(message)) {
      this.#room.tell(fact);
      if (fact.fact === "joined") {
        this.#resolveNameConflict([fact.name, fact.claimed], message.origin);
      }
      if (fact.fact === "renamed") {
        this.#resolveNameConflict([fact.to, fact.claimed], message.origin);
      }
    }
  }

  #meet(message: Snapshot, { peer, line }: { peer: RemoteServer; line: RoomChannel }): void {
    const isNew = !peer.knowsMembers;
    const lost = peer.takeSnapshot(message);
    if (lost === undefined) return;
    line.traffic.lost += lost;
    if (lost > 0) this.#room.notice(`${lost} messages from elsewhere are lost`);
    const { size } = peer.members;
    if (isNew && size > 0) this.#room.notice(`${size} more here, from another server`);
    peer.timedOut = false;
    for (const claim of peer.members.values()) this.#resolveNameConflict(claim, message.origin);
  }

  /** Whoever asked for a name first keeps it; of two at the same time, the one on the server that sorts first. */
  #resolveNameConflict([name, claimed]: NameRegistration, origin: string): void {
    const member = this.#room.find(name);
    if (!member) return;
    const isTheirs = claimed < member.claimed ||
      (claimed === member.claimed && origin < this.#origin);
    if (isTheirs) this.#room.renameByConflict(member);
  }

  #gone(peer: RemoteServer): void {
    const names = peer.forget().map(([name]) => name);
    // While a bus is down, the silence may be ours.
    if (names.length === 0 || !this.#voice.lines.every(({ up }) => up)) return;
    const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : "";
    this.#room.notice(`left with their server: ${names.slice(0, NAMED).join(", ")}${more}`);
  }

  #ask(to: string, peer: RemoteServer): void {
    const question = peer.ask(performance.now());
    if (question) this.#voice.ask(to, question);
  }

  async #recall(line: RoomChannel): Promise<void> {
    try {
      this.#room.history.merge(await line.recall());
    } catch {
      // The bus went while it was asked. The history of this server remains, and it is asked anew once it is back.
    }
  }

  #lineOf(bus: Bus): RoomChannel | undefined {
    return this.#voice.lines.find((line) => line.bus === bus);
  }
}
