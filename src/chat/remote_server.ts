/**
 * Another server that has the same room, as it is heard on the bus.
 *
 * @module
 */
import { isChatMessage, type RoomEvent } from "./message.ts";
import { keyOf } from "./name.ts";
import type { Facts, NameRegistration, Snapshot, SnapshotRequest } from "./wire.ts";

/** How long an answer to what was wanted is waited for before it is asked for again, in milliseconds. */
const REQUEST_TIMEOUT = 500;

/** Members by the keys of their names. */
type Members = Map<string, NameRegistration>;

/** Puts what another server tells in order: each fact once, none before those that came before it. */
export class RemoteServer {
  /** Whether its silence has been taken for its end. */
  timedOut = false;
  /** Whether it is another worker of this server. */
  isLocal = false;
  /** What it calls itself. */
  server = "";
  #heardAt: number;
  #requestedAt = -Infinity;
  /** The number of its latest fact, as far as it is known. */
  #highestSeq = 0;
  /** The number of the last fact that was taken; none until its snapshot has come. */
  #lastDelivered: number | undefined;
  /** Who is there after the fact of this number. */
  #snapshotSeq = -1;
  #members: Members = new Map();
  /** What has come of a snapshot that is not whole: a map of members for each part. */
  #snapshotParts = new Map<number, Members>();
  #partsSeq = -1;

  /** A server that was first heard of now. */
  constructor(now: number) {
    this.#heardAt = now;
  }

  /** Who is in its part of the room, by the keys of their names. */
  get members(): ReadonlyMap<string, NameRegistration> {
    return this.#members;
  }

  /** Names that are held of it, those of a snapshot that is not whole included. */
  get size(): number {
    return this.#members.size +
      this.#snapshotParts.values().reduce((sum, { size }) => sum + size, 0);
  }

  /** Milliseconds since it was last heard. */
  idleFor(now: number): number {
    return now - this.#heardAt;
  }

  /** Notes that it was heard. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** Takes it for gone. What it said stays known; who is there has to be asked for anew. */
  forget(): NameRegistration[] {
    const gone = [...this.#members.values()];
    this.timedOut = true;
    this.#snapshotParts.clear();
    this.#members = new Map();
    this.#snapshotSeq = -1;
    return gone;
  }

  /** Notes that it has told facts up to this number. */
  announce(seq: number): void {
    // Over two buses the older of two messages may come last.
    this.#highestSeq = Math.max(this.#highestSeq, seq);
  }

  /** Whether something of what it told is missing here. */
  get isMissing(): boolean {
    return this.#lastDelivered === undefined || !this.knowsMembers ||
      this.#highestSeq > this.#lastDelivered;
  }

  /** Whether it is known who is in its part of the room. */
  get knowsMembers(): boolean {
    return this.#snapshotSeq >= 0;
  }

  /** What to ask it for now; nothing while an answer may be on its way. */
  nextRequest(now: number): SnapshotRequest | undefined {
    if (now - this.#requestedAt < REQUEST_TIMEOUT) return undefined;
    this.#requestedAt = now;
    return { after: this.#lastDelivered, roster: !this.knowsMembers };
  }

  /**
   * Takes those of the facts that come next. What came before is known already; what comes later will come again.
   *
   * @param limit how many members more it may have
   * @returns the facts that are new: of what was before its snapshot came, only what was said
   */
  deliver({ first, facts }: Facts, { limit }: { limit: number }): readonly RoomEvent[] {
    this.announce(first + facts.length - 1);
    if (
      this.#lastDelivered === undefined || !this.knowsMembers || first > this.#lastDelivered + 1
    ) return [];
    const fresh = facts.slice(this.#lastDelivered + 1 - first);
    const known = Math.max(0, this.#snapshotSeq - this.#lastDelivered);
    this.#lastDelivered += fresh.length;
    const most = this.#members.size + limit;
    for (const fact of fresh.slice(known)) this.#applyMembership(fact, most);
    if (fresh.length > 0) this.#requestedAt = -Infinity;
    return fresh.filter((fact, i) => i >= known || isChatMessage(fact));
  }

  /**
   * Takes a part of a snapshot of its members.
   *
   * @param limit how many names more may be held of it; the rest is not believed
   * @returns once the snapshot is whole, how many facts were lost for good
   */
  takeSnapshot(
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

  #applyMembership(fact: RoomEvent, most: number): void {
    switch (fact.fact) {
      case "joined":
        if (this.#members.size < most) {
          this.#members.set(keyOf(fact.name), [fact.name, fact.claimed]);
        }
        break;
      case "left":
        this.#members.delete(keyOf(fact.name));
        break;
      case "renamed":
        if (this.#members.delete(keyOf(fact.name))) {
          this.#members.set(keyOf(fact.to), [fact.to, fact.claimed]);
        }
    }
  }
}

function membersOf(registrations: readonly NameRegistration[]): Members {
  return new Map(registrations.map((registration) => [keyOf(registration[0]), registration]));
}
