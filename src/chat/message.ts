/**
 * What happens in a room. Facts are what a room tells its members, as lines, and other servers, as they are.
 *
 * @module
 */
import { printable } from "../terminal/printable.ts";

/** Something that happened in a room; `name` is who did it. */
export type RoomEvent = Joined | Left | Renamed | ChatMessage;

/** Somebody came in. */
export interface Joined {
  /** Tells it from the other facts. */
  readonly fact: "joined";
  /** What it is called. */
  readonly name: string;
  /** When it asked for that name, in milliseconds since 1970: where two have the same, the earlier keeps it. */
  readonly claimed: number;
}

/** Somebody went out. */
export interface Left {
  /** Tells it from the other facts. */
  readonly fact: "left";
  /** What it was called. */
  readonly name: string;
}

/** Somebody is called something else. */
export interface Renamed {
  /** Tells it from the other facts. */
  readonly fact: "renamed";
  /** What it was called. */
  readonly name: string;
  /** What it is called now. */
  readonly to: string;
  /** When it asked for that name, in milliseconds since 1970. */
  readonly claimed: number;
}

/** Somebody said something, or told what it does. */
export interface ChatMessage {
  /** Tells it from the other facts. */
  readonly fact: "said" | "acted";
  /** Who it was. */
  readonly name: string;
  /** The words, as they were typed. */
  readonly text: string;
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/** The fact as members read it, with its newline; what it was typed with cannot steer their terminals. */
export function formatLine(fact: RoomEvent): string {
  switch (fact.fact) {
    case "joined":
      return `* ${fact.name} joined\n`;
    case "left":
      return `* ${fact.name} left\n`;
    case "renamed":
      return `* ${fact.name} is now ${fact.to}\n`;
    case "said":
      return `${fact.name}> ${printable(fact.text)}\n`;
    case "acted":
      return `* ${fact.name} ${printable(fact.text)}\n`;
  }
}

/** Whether the fact is something that was said, and so worth remembering. */
export function isChatMessage(fact: RoomEvent): fact is ChatMessage {
  return fact.fact === "said" || fact.fact === "acted";
}
