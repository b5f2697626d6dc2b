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
import { keyOf } from "./name.ts";
import type { RoomEvent } from "./message.ts";
import type { RoomChannel } from "./room_channel.ts";
import type { RemoteServer } from "./remote_server.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { RemoteServers } from "./remote_servers.ts";
import type { Presence, RemoteMembers, Room } from "./room.ts";
import type { Traffic } from "./status.ts";
import { type NodeIdentity, Publisher } from "./publisher.ts";
import type { Facts, Message, NameRegistration, Snapshot } from "./wire.ts";

const tasks = new TaskScope("reading a room's history from the bus", {
  without: "the history has only lines from this server",
});

/** When a server's silence is taken for its end, in milliseconds. */
const SERVER_TIMEOUT = 8_000;

/** How many names are told when many go at once. */
const NAMED = 20;

/** Joins a room to its namesakes: speaks to them, and listens. */
export class BusLink implements RemoteMembers, Disposable {
  readonly #room: Room;
  readonly #nodeId: string;
  readonly #publisher: Publisher;
  readonly #servers = new RemoteServers();

  /** A link of this room. */
  constructor(room: Room, identity: NodeIdentity) {
    this.#room = room;
    this.#nodeId = identity.nodeId;
    this.#publisher = new Publisher(room, identity);
    room.attachBus(this);
  }

  /** Reaches others over one more bus. */
  attach(bus: Bus, { topic, traffic }: { topic: Topic; traffic: Traffic }): void {
    const channel = this.#publisher.attach(bus, { topic, traffic, pace: () => this.#room.ready() });
    channel.subscribe(this.#nodeId, (message) => this.#receive(message, channel));
  }

  /** Bytes that wait here until they can be handed to the bus. */
  queuedFor(bus: Bus): number {
    return this.#channelOf(bus)?.queued ?? 0;
  }

  /** Is told that a bus takes messages; `back`, where it was lost before. */
  up(bus: Bus, { back }: { back: boolean }): void {
    const channel = this.#channelOf(bus);
    if (!channel || channel.up) return;
    const dropped = this.#publisher.resume(channel);
    if (back) this.#room.notice("bus connected again");
    if (dropped > 0) {
      this.#room.notice(`${dropped} messages were lost: the send queue was full`);
    }
    if (this.#room.history.limit > 0) tasks.run(this.#recall(channel));
  }

  /** Is told that a bus was lost. */
  down(bus: Bus): void {
    const channel = this.#channelOf(bus);
    if (!channel) return;
    channel.up = false;
    this.#room.notice(
      "bus disconnected: until it is back, only members on this server receive your lines",
    );
  }

  /** Tells the others. */
  post(fact: RoomEvent): void {
    this.#publisher.publish(fact);
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
    return Math.max(0, ...this.#publisher.channels.map(({ bus }) => bus.waiting));
  }

  /** Resolves when the buses have sent what was waiting. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#publisher.channels.map(({ bus }) => bus.caughtUp()));
  }

  /**
   * Says now and then that this server is there, and finds out who is not any more. After this server has
   * `slept` itself, nobody's silence means anything.
   */
  tick(now: number, { slept }: { slept: boolean }): void {
    this.#publisher.tick(now);
    for (const [nodeId, server] of this.#servers.live()) {
      if (slept) server.heard(now);
      if (server.idleFor(now) >= SERVER_TIMEOUT) this.#removeServer(server);
      else if (server.isMissing) this.#requestMissing(nodeId, server);
    }
  }

  /** Says goodbye. */
  [Symbol.dispose](): void {
    this.#publisher[Symbol.dispose]();
  }

  /** Whether it was a message of another server's. */
  #receive(message: Message, channel: RoomChannel): boolean {
    if (message.origin === this.#nodeId) return false;
    const server = this.#servers.hear(message.origin, performance.now());
    if (!server) return false;
    server.isLocal ||= channel.bus.isLocal;
    switch (message.kind) {
      case "beat":
        if (message.hello) this.#publisher.answerHello();
        server.announce(message.seq);
        break;
      case "facts":
        this.#deliver(message, server);
        break;
      case "roster":
        this.#acceptSnapshot(message, { server, channel });
        break;
      case "want":
        if (message.to === this.#nodeId) this.#publisher.answer(message, channel);
        break;
      case "bye":
        this.#removeServer(server);
        this.#servers.forget(message.origin);
        return true;
    }
    if (server.isMissing) this.#requestMissing(message.origin, server);
    return true;
  }

  #deliver(message: Facts, server: RemoteServer): void {
    for (const fact of server.deliver(message, { limit: this.#servers.memberLimit })) {
      this.#room.tell(fact);
      if (fact.fact === "joined") {
        this.#resolveNameConflict([fact.name, fact.claimed], message.origin);
      }
      if (fact.fact === "renamed") {
        this.#resolveNameConflict([fact.to, fact.claimed], message.origin);
      }
    }
  }

  #acceptSnapshot(
    message: Snapshot,
    { server, channel }: { server: RemoteServer; channel: RoomChannel },
  ): void {
    const isNew = !server.knowsMembers;
    const lost = server.takeSnapshot(message, { limit: this.#servers.memberLimit });
    if (lost === undefined) return;
    channel.traffic.lost += lost;
    if (lost > 0) this.#room.notice(`${lost} messages from other servers were lost`);
    const { size } = server.members;
    if (isNew && size > 0) this.#room.notice(`${size} more here, from another server`);
    server.timedOut = false;
    for (const { name } of [...this.#room.members()]) {
      const registration = server.members.get(keyOf(name));
      if (registration) this.#resolveNameConflict(registration, message.origin);
    }
  }

  /** Whoever asked for a name first keeps it; of two at the same time, the one on the server that sorts first. */
  #resolveNameConflict([name, claimed]: NameRegistration, nodeId: string): void {
    const member = this.#room.find(name);
    if (!member) return;
    const isTheirs = claimed < member.claimed ||
      (claimed === member.claimed && nodeId < this.#nodeId);
    if (isTheirs) this.#room.renameByConflict(member);
  }

  #removeServer(server: RemoteServer): void {
    const names = server.forget().map(([name]) => name);
    // While a bus is down, the silence may be ours.
    if (names.length === 0 || !this.#publisher.channels.every(({ up }) => up)) return;
    const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : "";
    this.#room.notice(`left with their server: ${names.slice(0, NAMED).join(", ")}${more}`);
  }

  #requestMissing(to: string, server: RemoteServer): void {
    const question = server.nextRequest(performance.now());
    if (question) this.#publisher.request(to, question);
  }

  /** The bus may go while it is asked: the history of this server remains, and it is asked anew once it is back. */
  async #recall(channel: RoomChannel): Promise<void> {
    this.#room.history.merge(await channel.recall().catch(() => []));
  }

  #channelOf(bus: Bus): RoomChannel | undefined {
    return this.#publisher.channels.find((channel) => channel.bus === bus);
  }
}
