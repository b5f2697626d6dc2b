/**
 * What this server says in a room to the others that have it.
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
  without: "other servers request it again",
});

/** How often a server says that it is there, in milliseconds. */
const HEARTBEAT_INTERVAL = 2_000;

/** How long a bus counts as one that has just come up, in milliseconds. */
const FRESH = 8_000;

/** How long those who miss something may gather before it is sent again, to all of them at once. */
const RESEND_DELAY = 20;

/** How many servers are sent a snapshot of the members at a time; others ask again. */
const SNAPSHOTS = 8;

/** A server on a bus. */
export interface NodeIdentity {
  /** Tells this server from all others. */
  readonly nodeId: string;
  /** What this server calls itself, for people. */
  readonly server: string;
}

/** Tells over every bus what happens here, and tells it again to whoever asks. Disposing it says goodbye. */
export class Publisher implements Disposable {
  /** The room, on each bus that carries it. */
  readonly channels: RoomChannel[] = [];
  readonly #room: Room;
  readonly #identity: NodeIdentity;
  readonly #buffer = new RetransmitBuffer();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Who is to be sent a snapshot of the members, on which bus, and the first fact that follows it. */
  readonly #snapshots = new Map<string, { channel: RoomChannel; from: number }>();
  /** The fact after which all is to be sent again. */
  #resendAfter: number | undefined;
  #lastHeartbeatAt = -Infinity;

  /** Publishes what happens in this room. */
  constructor(room: Room, identity: NodeIdentity) {
    this.#room = room;
    this.#identity = identity;
  }

  /** Speaks on one more bus. */
  attach(bus: Bus, options: Omit<RoomChannelOptions, "buffer">): RoomChannel {
    const channel = new RoomChannel(bus, { ...options, buffer: this.#buffer });
    this.channels.push(channel);
    return channel;
  }

  /** Tells what happened. */
  publish(fact: RoomEvent): void {
    this.#buffer.add(fact);
    this.#schedule(0);
  }

  /**
   * Says on a bus that has come up that this server is there, asks who else is, and sends what waited.
   *
   * @returns how many facts did not fit among those that waited
   */
  resume(channel: RoomChannel): number {
    const dropped = channel.resume(performance.now());
    this.#sendHeartbeat({ hello: true });
    this.#schedule(0);
    return dropped;
  }

  /** Says that this server is there, to whoever has asked. */
  answerHello(): void {
    this.#lastHeartbeatAt = -Infinity;
    this.#schedule(RESEND_DELAY);
  }

  /** Says now and then that this server is there. */
  tick(now: number): void {
    if (now - this.#lastHeartbeatAt >= HEARTBEAT_INTERVAL) this.#sendHeartbeat({ hello: false });
  }

  /** Asks another server for what is missing of what it told. */
  request(to: string, request: SnapshotRequest): void {
    this.#send(encode({ kind: "want", origin: this.#identity.nodeId, to, ...request }));
  }

  /** Answers what another server has asked, in a moment: together with what others ask. */
  answer({ origin: to, after, roster }: RetransmitRequest, channel: RoomChannel): void {
    const { lastSeq, oldestRetained } = this.#buffer;
    // To somebody new, what is said from now on is due, and what waited for the bus that has just come up.
    const { at, from: waited } = channel.resumed;
    const start = performance.now() - at < FRESH ? waited : lastSeq + 1;
    const next = Math.max(after === undefined ? start : after + 1, oldestRetained);
    const from = Math.min(next, lastSeq + 1);
    const needsSnapshot = roster || (after !== undefined && from > after + 1);
    if (needsSnapshot && this.#snapshots.size < SNAPSHOTS) {
      this.#snapshots.set(to, { channel, from });
    }
    this.#resendAfter = Math.min(this.#resendAfter ?? Infinity, from - 1);
    this.#schedule(RESEND_DELAY);
  }

  /** Says goodbye. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#flush();
    this.#send(encode({ kind: "bye", origin: this.#identity.nodeId }));
    for (const channel of this.channels.splice(0)) channel[Symbol.dispose]();
  }

  #sendHeartbeat({ hello }: { hello: boolean }): void {
    this.#lastHeartbeatAt = performance.now();
    const { nodeId: origin } = this.#identity;
    this.#send(encode({ kind: "beat", origin, seq: this.#buffer.lastSeq, hello }));
  }

  #send(message: Uint8Array): void {
    for (const channel of this.channels) channel.send(message);
  }

  /** Lets what is to be sent gather for a moment, so that it goes in few messages. */
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
    const { nodeId: origin, server } = this.#identity;
    for (const [to, { channel, from }] of this.#snapshots) {
      const about = { origin, server, seq: this.#buffer.lastSeq, from };
      const limit = channel.bus.messageLimit;
      for (const part of encodeSnapshot(members, { about, limit })) channel.send(part, to);
    }
    this.#snapshots.clear();
  }
}
