/**
 * Another server that has the same room, as it is heard on the bus.
 *
 * @module
 */
import { isChatMessage, type RoomEvent } from "./message.ts";
import { keyOf } from "./name.ts";
import type { Facts, NameRegistration, Snapshot, SnapshotRequest } from "./wire.ts";

/** The most members that another server is believed to have. */
const CROWD = 200_000;

/** How long an answer to what was wanted is waited for before it is asked for again, in milliseconds. */
const ANSWER = 500;

/** Puts what another server tells in order: each fact once, none before those that came before it. */
export class RemoteServer {
  /** Whether its silence has been taken for its end. */
  timedOut = false;
  /** Whether it is another worker of this server. */
  isLocal = false;
  /** What it calls itself. */
  server = "";
  #heardAt: number;
  #askedAt = -Infinity;
  /** The number of its latest fact, as far as it is known. */
  #told = 0;
  /** The number of the last fact that was taken; none until its roster has come. */
  #last: number | undefined;
  /** Who is there after the fact of this number. */
  #rosterAt = -1;
  #members = new Map<string, NameRegistration>();
  #parts = new Map<number, readonly NameRegistration[]>();
  #partsOf = -1;

  /** A server that was first heard of now. */
  constructor(now: number) {
    this.#heardAt = now;
  }

  /** Who is in its part of the room, by the keys of their names. */
  get members(): ReadonlyMap<string, NameRegistration> {
    return this.#members;
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
    this.#members = new Map();
    this.#rosterAt = -1;
    return gone;
  }

  /** Notes that it has told facts up to this number. */
  hasTold(seq: number): void {
    this.#told = seq;
  }

  /** Whether something of what it told is missing here. */
  get isMissing(): boolean {
    return this.#last === undefined || !this.knowsMembers || this.#told > this.#last;
  }

  /** Whether it is known who is in its part of the room. */
  get knowsMembers(): boolean {
    return this.#rosterAt >= 0;
  }

  /** What to ask it for now; nothing while an answer may be on its way. */
  ask(now: number): SnapshotRequest | undefined {
    if (now - this.#askedAt < ANSWER) return undefined;
    this.#askedAt = now;
    return { after: this.#last, roster: !this.knowsMembers };
  }

  /**
   * Takes those of the facts that come next. What came before is known already; what comes later will come again.
   *
   * @returns the facts that are new: of what was before its roster came, only what was said
   */
  take({ first, facts }: Facts): readonly RoomEvent[] {
    this.hasTold(first + facts.length - 1);
    if (this.#last === undefined || !this.knowsMembers || first > this.#last + 1) return [];
    const fresh = facts.slice(this.#last + 1 - first);
    const known = Math.max(0, this.#rosterAt - this.#last);
    this.#last += fresh.length;
    for (const fact of fresh.slice(known)) this.#follow(fact);
    if (fresh.length > 0) this.#askedAt = -Infinity;
    return fresh.filter((fact, i) => i >= known || isChatMessage(fact));
  }

  /**
   * Takes a part of its roster.
   *
   * @returns once the roster is whole, how many facts were lost for good
   */
  takeSnapshot(
    { server, seq, from, part, parts, members }: Snapshot,
  ): number | undefined {
    this.server = server;
    if (this.#partsOf !== seq) this.#parts.clear();
    this.#partsOf = seq;
    this.#parts.set(part, members);
    if (this.#parts.size < parts || (this.#last ?? -1) > seq) return undefined;
    const all = [...this.#parts.values()].flat().slice(0, CROWD);
    this.#parts.clear();
    this.#members = new Map(all.map((claim) => [keyOf(claim[0]), claim]));
    this.#rosterAt = this.#told = seq;
    const lost = this.#last === undefined ? 0 : Math.max(0, from - 1 - this.#last);
    this.#last = Math.max(this.#last ?? 0, from - 1);
    this.#askedAt = -Infinity;
    return lost;
  }

  #follow(fact: RoomEvent): void {
    switch (fact.fact) {
      case "joined":
        if (this.#members.size < CROWD) {
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
