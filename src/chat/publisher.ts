/**
 * Publishes the events of a room to other servers.
 *
 * @module
 */
import type { Bus } from "./bus/bus.ts";
import type { RoomEvent } from "./message.ts";
import { RoomChannel, type RoomChannelOptions } from "./room_channel.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { Room } from "./room.ts";
import { RetransmitBuffer } from "./retransmit_buffer.ts";
import {
  encode,
  encodeSnapshot,
  type NameRegistration,
  type RetransmitRequest,
  type SnapshotRequest,
} from "./wire.ts";

const tasks = new TaskScope("publishing to a bus", {
  consequence: "other servers request it again",
});

/** The interval between heartbeats, in milliseconds. */
const HEARTBEAT_INTERVAL = 2_000;

/** How long a bus counts as newly connected, in milliseconds. */
const NEWLY_CONNECTED = 8_000;

/** How long retransmit requests are collected before one answer for all, in milliseconds. */
const RESEND_DELAY = 20;

/** The most servers that are sent a snapshot at a time; others repeat their request. */
const MAX_SNAPSHOTS = 8;

/** The identity of a node on the buses. */
export interface NodeIdentity {
  /** The unique id of this process. */
  readonly nodeId: string;
  /** The name for users: `HOSTNAME/PID`. */
  readonly server: string;
}

/** Publishes events on every bus, and retransmits them on request. Disposing it publishes `bye`. */
export class Publisher implements Disposable {
  /** The channel of the room on each bus. */
  readonly channels: RoomChannel[] = [];
  readonly #room: Room;
  readonly #identity: NodeIdentity;
  readonly #buffer = new RetransmitBuffer();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Pending snapshots by node id: the channel, and the first event that follows the snapshot. */
  readonly #snapshots = new Map<string, { channel: RoomChannel; from: number }>();
  /** The event after which all events are to be retransmitted. */
  #resendAfter: number | undefined;
  #lastHeartbeatAt = -Infinity;

  /** A publisher of this room. */
  constructor(room: Room, identity: NodeIdentity) {
    this.#room = room;
    this.#identity = identity;
  }

  /** Adds a bus. */
  attach(bus: Bus, options: Omit<RoomChannelOptions, "buffer">): RoomChannel {
    const channel = new RoomChannel(bus, { ...options, buffer: this.#buffer });
    this.channels.push(channel);
    return channel;
  }

  /** Publishes an event. */
  publish(event: RoomEvent): void {
    this.#buffer.add(event);
    this.#schedule(0);
  }

  /**
   * Announces this server on a bus that was connected, and sends what is queued.
   *
   * @returns the number of events that were dropped from the queue
   */
  resume(channel: RoomChannel): number {
    const dropped = channel.resume(performance.now());
    this.#sendHeartbeat({ hello: true });
    this.#schedule(0);
    return dropped;
  }

  /** Sends a heartbeat soon, in answer to another server's `hello`. */
  answerHello(): void {
    this.#lastHeartbeatAt = -Infinity;
    this.#schedule(RESEND_DELAY);
  }

  /** Sends a heartbeat if one is due. */
  tick(now: number): void {
    if (now - this.#lastHeartbeatAt >= HEARTBEAT_INTERVAL) this.#sendHeartbeat({ hello: false });
  }

  /** Requests missing events or a snapshot from another server. */
  request(to: string, request: SnapshotRequest): void {
    this.#send(encode({ kind: "want", nodeId: this.#identity.nodeId, to, ...request }));
  }

  /** Schedules the answer to another server's request. */
  answer({ nodeId: to, after, snapshot }: RetransmitRequest, channel: RoomChannel): void {
    const { lastSeq, oldestRetained } = this.#buffer;
    // A new server is sent later events, and those that were queued until the bus was connected.
    const { at, from: waited } = channel.resumed;
    const start = performance.now() - at < NEWLY_CONNECTED ? waited : lastSeq + 1;
    const next = Math.max(after === undefined ? start : after + 1, oldestRetained);
    const from = Math.min(next, lastSeq + 1);
    const needsSnapshot = snapshot || (after !== undefined && from > after + 1);
    if (needsSnapshot && this.#snapshots.size < MAX_SNAPSHOTS) {
      this.#snapshots.set(to, { channel, from });
    }
    this.#resendAfter = Math.min(this.#resendAfter ?? Infinity, from - 1);
    this.#schedule(RESEND_DELAY);
  }

  /** Sends what is queued and `bye`, and leaves the buses. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#flush();
    this.#send(encode({ kind: "bye", nodeId: this.#identity.nodeId }));
    for (const channel of this.channels.splice(0)) channel[Symbol.dispose]();
  }

  #sendHeartbeat({ hello }: { hello: boolean }): void {
    this.#lastHeartbeatAt = performance.now();
    const { nodeId } = this.#identity;
    this.#send(encode({ kind: "beat", nodeId, seq: this.#buffer.lastSeq, hello }));
  }

  #send(message: Uint8Array): void {
    for (const channel of this.channels) channel.send(message);
  }

  /** Collects events for `delay` milliseconds, so that they go in few messages. */
  #schedule(delay: number): void {
    if (this.channels.length === 0) return;
    this.#timer ??= setTimeout(
      tasks.guard(() => {
        this.#timer = undefined;
        if (this.#lastHeartbeatAt === -Infinity) this.#sendHeartbeat({ hello: false });
        this.#flush();
      }),
      delay,
    );
  }

  #flush(): void {
    this.#sendSnapshots();
    for (const channel of this.channels) channel.flush(this.#identity.nodeId, this.#resendAfter);
    this.#resendAfter = undefined;
  }

  #sendSnapshots(): void {
    if (this.#snapshots.size === 0) return;
    const members = Array.from(
      this.#room.members(),
      ({ name, claimed }): NameRegistration => [name, claimed],
    );
    const { nodeId, server } = this.#identity;
    for (const [to, { channel, from }] of this.#snapshots) {
      const about = { nodeId, server, seq: this.#buffer.lastSeq, from };
      const limit = channel.bus.messageLimit;
      for (const part of encodeSnapshot(members, { about, limit })) channel.send(part, to);
    }
    this.#snapshots.clear();
  }
}
