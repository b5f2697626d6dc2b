/**
 * The same room on another server, as known from its messages.
 *
 * @module
 */
import { isChatMessage, type RoomEvent } from "./message.ts";
import { keyOf } from "./name.ts";
import type { EventsMessage, NameRegistration, Snapshot, SnapshotRequest } from "./wire.ts";

/** How long after an unanswered request it is repeated, in milliseconds. */
const REQUEST_TIMEOUT = 500;

/** Members by the key of their name. */
type Members = Map<string, NameRegistration>;

/** Orders and deduplicates the events of another server. */
export class RemoteServer {
  /** Whether it counts as gone because of its silence. */
  timedOut = false;
  /** Whether it is another worker of this process. */
  isLocal = false;
  /** Its name for users. */
  server = "";
  #lastMessageAt: number;
  #requestedAt = -Infinity;
  /** The highest sequence number that is known to exist. */
  #highestSeq = 0;
  /** The sequence number of the last delivered event; `undefined` before the first snapshot. */
  #lastDelivered: number | undefined;
  /** The sequence number of the last snapshot; -1 if there is none. */
  #snapshotSeq = -1;
  #members: Members = new Map();
  /** The received parts of an incomplete snapshot. */
  #snapshotParts = new Map<number, Members>();
  #partsSeq = -1;

  /** A server whose first message has just come. */
  constructor(now: number) {
    this.#lastMessageAt = now;
  }

  /** Its members, by the key of their name. */
  get members(): ReadonlyMap<string, NameRegistration> {
    return this.#members;
  }

  /** The number of names stored, including those of an incomplete snapshot. */
  get size(): number {
    return this.#members.size +
      this.#snapshotParts.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** Milliseconds since its last message. */
  idleFor(now: number): number {
    return now - this.#lastMessageAt;
  }

  /** Called when a message came. */
  touch(now: number): void {
    this.#lastMessageAt = now;
  }

  /** Marks it as timed out, and returns its members. */
  markTimedOut(): NameRegistration[] {
    const removed = [...this.#members.values()];
    this.timedOut = true;
    this.#snapshotParts.clear();
    this.#members = new Map();
    this.#snapshotSeq = -1;
    return removed;
  }

  /** Raises the highest sequence number. */
  announce(seq: number): void {
    // Messages over two buses may be reordered.
    this.#highestSeq = Math.max(this.#highestSeq, seq);
  }

  /** Whether events or the snapshot are missing. */
  get isMissing(): boolean {
    return this.#lastDelivered === undefined || !this.knowsMembers ||
      this.#highestSeq > this.#lastDelivered;
  }

  /** Whether its snapshot is complete. */
  get knowsMembers(): boolean {
    return this.#snapshotSeq >= 0;
  }

  /** The request to send now; `undefined` while an answer may be on its way. */
  nextRequest(now: number): SnapshotRequest | undefined {
    if (now - this.#requestedAt < REQUEST_TIMEOUT) return undefined;
    this.#requestedAt = now;
    return { after: this.#lastDelivered, snapshot: !this.knowsMembers };
  }

  /**
   * Accepts the events that are next in order. Others are duplicates, or will be retransmitted.
   *
   * @param limit how many more members it may have
   * @returns the new events; of those older than its snapshot, only messages
   */
  deliver({ first, facts }: EventsMessage, { limit }: { limit: number }): readonly RoomEvent[] {
    this.announce(first + facts.length - 1);
    if (
      this.#lastDelivered === undefined || !this.knowsMembers || first > this.#lastDelivered + 1
    ) return [];
    const undelivered = facts.slice(this.#lastDelivered + 1 - first);
    const known = Math.max(0, this.#snapshotSeq - this.#lastDelivered);
    this.#lastDelivered += undelivered.length;
    const most = this.#members.size + limit;
    for (const event of undelivered.slice(known)) this.#applyMembership(event, most);
    if (undelivered.length > 0) this.#requestedAt = -Infinity;
    return undelivered.filter((event, i) => i >= known || isChatMessage(event));
  }

  /**
   * Accepts a part of a snapshot.
   *
   * @param limit how many more names may be stored; the rest is ignored
   * @returns once the snapshot is complete, how many events can no longer be retransmitted
   */
  acceptSnapshot(
    { server, seq, from, part, parts, members }: Snapshot,
    { limit }: { limit: number },
  ): number | undefined {
    this.server = server;
    if (this.#partsSeq !== seq) this.#snapshotParts.clear();
    this.#partsSeq = seq;
    this.#snapshotParts.set(part, membersOf(members.slice(0, limit)));
    if (this.#snapshotParts.size < parts || (this.#lastDelivered ?? -1) > seq) return undefined;
    this.#members = new Map(this.#snapshotParts.values().flatMap((members) => members));
    this.#snapshotParts.clear();
    this.#snapshotSeq = seq;
    this.announce(seq);
    const lost = this.#lastDelivered === undefined
      ? 0
      : Math.max(0, from - 1 - this.#lastDelivered);
    this.#lastDelivered = Math.max(this.#lastDelivered ?? 0, from - 1);
    this.#requestedAt = -Infinity;
    return lost;
  }

  #applyMembership(event: RoomEvent, most: number): void {
    switch (event.fact) {
      case "joined":
        if (this.#members.size < most) {
          this.#members.set(keyOf(event.name), [event.name, event.claimed]);
        }
        break;
      case "left":
        this.#members.delete(keyOf(event.name));
        break;
      case "renamed":
        if (this.#members.delete(keyOf(event.name))) {
          this.#members.set(keyOf(event.to), [event.to, event.claimed]);
        }
    }
  }
}

function membersOf(registrations: readonly NameRegistration[]): Members {
  return new Map(registrations.map((registration) => [keyOf(registration[0]), registration]));
}
