/**
 * What this server says in a room to the others that have it.
 *
 * @module
 */
import type { Bus } from "./bus/bus.ts";
import type { RoomEvent } from "./message.ts";
import { RoomChannel, type RoomChannelOptions } from "./room_channel.ts";
import type { Room } from "./room.ts";
import { RetransmitBuffer } from "./retransmit_buffer.ts";
import {
  encode,
  encodeSnapshot,
  type NameRegistration,
  type RetransmitRequest,
  type SnapshotRequest,
} from "./wire.ts";

/** How often a server says that it is there, in milliseconds. */
const BEAT = 2_000;

/** How long a bus counts as one that has just come up, in milliseconds. */
const FRESH = 8_000;

/** How long those who miss something may gather before it is sent again, to all of them at once. */
const GATHER = 20;

/** Who speaks. */
export interface NodeIdentity {
  /** Tells this server from all others. */
  readonly nodeId: string;
  /** What this server calls itself, for people. */
  readonly server: string;
}

/** Tells over every bus what happens here, and tells it again to whoever asks. Disposing it says goodbye. */
export class Publisher implements Disposable {
  /** The room, on each bus that carries it. */
  readonly lines: RoomChannel[] = [];
  readonly #room: Room;
  readonly #speaker: NodeIdentity;
  readonly #told = new RetransmitBuffer();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The fact after which all is to be sent again. */
  #again: number | undefined;
  #beatAt = -Infinity;

  /** Speaks of what happens in this room. */
  constructor(room: Room, speaker: NodeIdentity) {
    this.#room = room;
    this.#speaker = speaker;
  }

  /** Speaks on one more bus. */
  plug(bus: Bus, options: Omit<RoomChannelOptions, "told">): RoomChannel {
    const line = new RoomChannel(bus, { ...options, told: this.#told });
    this.lines.push(line);
    return line;
  }

  /** Tells what happened. */
  tell(fact: RoomEvent): void {
    this.#told.add(fact);
    this.#schedule(0);
  }

  /**
   * Says on a bus that has come up that this server is there, asks who else is, and sends what waited.
   *
   * @returns how many facts did not fit among those that waited
   */
  greet(line: RoomChannel): number {
    const dropped = line.resume(performance.now());
    this.#beat({ hello: true });
    this.#schedule(0);
    return dropped;
  }

  /** Says that this server is there, to whoever has asked. */
  greetBack(): void {
    this.#beatAt = -Infinity;
    this.#schedule(GATHER);
  }

  /** Says now and then that this server is there. */
  tick(now: number): void {
    if (now - this.#beatAt >= BEAT) this.#beat({ hello: false });
  }

  /** Asks another server for what is missing of what it told. */
  ask(to: string, question: SnapshotRequest): void {
    this.#send(encode({ kind: "want", origin: this.#speaker.nodeId, to, ...question }));
  }

  /** Answers what another server has asked. */
  answer({ origin: to, after, roster }: RetransmitRequest, line: RoomChannel): void {
    const { seq, first } = this.#told;
    const { nodeId, server } = this.#speaker;
    // To somebody new, what is said from now on is due, and what waited for the bus that has just come up.
    const { at, from: waited } = line.resumed;
    const start = performance.now() - at < FRESH ? waited : seq + 1;
    const from = Math.min(Math.max(after === undefined ? start : after + 1, first), seq + 1);
    if (roster || (after !== undefined && from > after + 1)) {
      const members = Array.from(
        this.#room.members(),
        ({ name, claimed }): NameRegistration => [name, claimed],
      );
      for (const part of encodeSnapshot(members, { origin: nodeId, server, seq, from })) {
        line.send(part, to);
      }
    }
    this.#again = Math.min(this.#again ?? Infinity, from - 1);
    this.#schedule(GATHER);
  }

  /** Says goodbye. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#flush();
    this.#send(encode({ kind: "bye", origin: this.#speaker.nodeId }));
    for (const line of this.lines.splice(0)) line[Symbol.dispose]();
  }

  #beat({ hello }: { hello: boolean }): void {
    this.#beatAt = performance.now();
    const { nodeId: origin } = this.#speaker;
    this.#send(encode({ kind: "beat", origin, seq: this.#told.seq, hello }));
  }

  #send(message: Uint8Array): void {
    for (const line of this.lines) line.send(message);
  }

  /** Lets what is to be sent gather for a moment, so that it goes in few messages. */
  #schedule(delay: number): void {
    if (this.lines.length === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#beatAt === -Infinity) this.#beat({ hello: false });
      this.#flush();
    }, delay);
  }

  #flush(): void {
    for (const line of this.lines) line.flush(this.#speaker.nodeId, this.#again);
    this.#again = undefined;
  }
}
