/**
 * Joins a room to the rooms of the same name on other servers.
 *
 * Each server numbers its room events and publishes them on buses that may lose, repeat or reorder
 * messages. Receivers restore the order, and request missing events from their sender (NACK, RFC
 * 5740). Membership follows from the events.
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
import type { Presence, RemoteMembers } from "./remote_members.ts";
import type { Room } from "./room.ts";
import type { Traffic } from "./status.ts";
import { type NodeIdentity, Publisher } from "./publisher.ts";
import type { EventsMessage, Message, NameRegistration, Snapshot } from "./wire.ts";

const tasks = new TaskScope("reading a room's history from the bus", {
  consequence: "the history has only lines from this server",
});

/** The silence after which a server counts as gone, in milliseconds. */
const SERVER_TIMEOUT = 8_000;

/** The most names in one notice. */
const MAX_NAMES = 20;

/** The connection of one room to the same room on other servers. */
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

  /** Adds a bus. */
  attach(bus: Bus, { topic, traffic }: { topic: Topic; traffic: Traffic }): void {
    const channel = this.#publisher.attach(bus, { topic, traffic, pace: () => this.#room.ready() });
    channel.subscribe(this.#nodeId, (message) => this.#receive(message, channel));
  }

  /** Bytes that are queued for a bus. */
  queuedFor(bus: Bus): number {
    return this.#channelOf(bus)?.queued ?? 0;
  }

  /** Called when a bus is connected; `back` if it is reconnected. */
  onConnected(bus: Bus, { back }: { back: boolean }): void {
    const channel = this.#channelOf(bus);
    if (!channel || channel.up) return;
    const dropped = this.#publisher.resume(channel);
    if (back) this.#room.notice("bus connected again");
    if (dropped > 0) {
      this.#room.notice(`${dropped} messages were lost: the send queue was full`);
    }
    if (this.#room.history.limit > 0) tasks.run(this.#recall(channel));
  }

  /** Called when a bus is disconnected. */
  onDisconnected(bus: Bus): void {
    const channel = this.#channelOf(bus);
    if (!channel) return;
    channel.up = false;
    this.#room.notice(
      "bus disconnected: until it is back, only members on this server receive your lines",
    );
  }

  /** Publishes an event to the other servers. */
  post(event: RoomEvent): void {
    this.#publisher.publish(event);
  }

  /** The members on other nodes. */
  everyone(): Iterable<Presence> {
    return this.#servers.everyone();
  }

  /** Member counts by server; `undefined` is the key of this server's other workers. */
  sizes(): ReadonlyMap<string | undefined, number> {
    return this.#servers.sizes();
  }

  /** Whether a member on another node has the name with this key. */
  isTaken(key: string): boolean {
    return this.#servers.has(key);
  }

  /** The most bytes that are queued at any bus. */
  get waiting(): number {
    return Math.max(0, ...this.#publisher.channels.map(({ bus }) => bus.waiting));
  }

  /** Resolves when the queues of all buses are drained. */
  async caughtUp(): Promise<void> {
    await Promise.all(this.#publisher.channels.map(({ bus }) => bus.caughtUp()));
  }

  /**
   * Sends heartbeats, and removes servers that timed out. After the process was `suspended`, the
   * timeouts start over.
   */
  tick(now: number, { suspended }: { suspended: boolean }): void {
    this.#publisher.tick(now);
    for (const [nodeId, server] of this.#servers.live()) {
      if (suspended) server.touch(now);
      if (server.idleFor(now) >= SERVER_TIMEOUT) this.#removeServer(server);
      else if (server.isMissing) this.#requestMissing(nodeId, server);
    }
  }

  /** Publishes that this server leaves. */
  [Symbol.dispose](): void {
    this.#publisher[Symbol.dispose]();
  }

  /** Handles a message; `false` if it is to be ignored. */
  #receive(message: Message, channel: RoomChannel): boolean {
    if (message.nodeId === this.#nodeId) return false;
    const server = this.#servers.touch(message.nodeId, performance.now());
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
        this.#servers.remove(message.nodeId);
        return true;
    }
    if (server.isMissing) this.#requestMissing(message.nodeId, server);
    return true;
  }

  #deliver(message: EventsMessage, server: RemoteServer): void {
    for (const event of server.deliver(message, { limit: this.#servers.memberLimit })) {
      this.#room.deliver(event);
      if (event.fact === "joined") {
        this.#resolveNameConflict([event.name, event.claimed], message.nodeId);
      }
      if (event.fact === "renamed") {
        this.#resolveNameConflict([event.to, event.claimed], message.nodeId);
      }
    }
  }

  #acceptSnapshot(
    message: Snapshot,
    { server, channel }: { server: RemoteServer; channel: RoomChannel },
  ): void {
    const isNew = !server.knowsMembers;
    const lost = server.acceptSnapshot(message, { limit: this.#servers.memberLimit });
    if (lost === undefined) return;
    channel.traffic.lost += lost;
    if (lost > 0) this.#room.notice(`${lost} messages from other servers were lost`);
    const { size } = server.members;
    if (isNew && size > 0) this.#room.notice(`${size} more here, from another server`);
    server.timedOut = false;
    for (const { name } of [...this.#room.members()]) {
      const registration = server.members.get(keyOf(name));
      if (registration) this.#resolveNameConflict(registration, message.nodeId);
    }
  }

  /** The earlier registration keeps the name; at equal times, the lower node id. */
  #resolveNameConflict([name, claimed]: NameRegistration, nodeId: string): void {
    const member = this.#room.find(name);
    if (!member) return;
    const isTheirs = claimed < member.claimed ||
      (claimed === member.claimed && nodeId < this.#nodeId);
    if (isTheirs) this.#room.renameByConflict(member);
  }

  #removeServer(server: RemoteServer): void {
    const names = server.markTimedOut().map(([name]) => name);
    // While a bus is down, the silence may be this server's fault.
    if (names.length === 0 || !this.#publisher.channels.every(({ up }) => up)) return;
    const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} more` : "";
    this.#room.notice(`left with their server: ${names.slice(0, MAX_NAMES).join(", ")}${more}`);
  }

  #requestMissing(to: string, server: RemoteServer): void {
    const request = server.nextRequest(performance.now());
    if (request) this.#publisher.request(to, request);
  }

  /** A failed recall is repeated when the bus is reconnected. */
  async #recall(channel: RoomChannel): Promise<void> {
    this.#room.history.merge(await channel.recall().catch(() => []));
  }

  #channelOf(bus: Bus): RoomChannel | undefined {
    return this.#publisher.channels.find((channel) => channel.bus === bus);
  }
}
