/**
 * The events of a room. Members see them as lines of text; other servers receive them as JSON.
 *
 * @module
 */
import { printable } from "../terminal/printable.ts";

/** An event of a room; `name` is the member that caused it. */
export type RoomEvent = Joined | Left | Renamed | ChatMessage;

/** A member joined. */
export interface Joined {
  /** The type of the event. */
  readonly fact: "joined";
  /** The member's name. */
  readonly name: string;
  /** When the name was registered, in milliseconds since 1970; the earlier one wins. */
  readonly claimed: number;
}

/** A member left. */
export interface Left {
  /** The type of the event. */
  readonly fact: "left";
  /** The member's name before the event. */
  readonly name: string;
}

/** A member was renamed. */
export interface Renamed {
  /** The type of the event. */
  readonly fact: "renamed";
  /** The member's name before the event. */
  readonly name: string;
  /** The new name. */
  readonly to: string;
  /** When the name was registered, in milliseconds since 1970. */
  readonly claimed: number;
}

/** A message, or an action (`/me`). */
export interface ChatMessage {
  /** The type of the event. */
  readonly fact: "said" | "acted";
  /** The sender's name. */
  readonly name: string;
  /** The text, as it was typed. */
  readonly text: string;
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
}

/** Formats an event as a line with its newline. Control characters in the text are escaped. */
export function formatLine(event: RoomEvent): string {
  switch (event.fact) {
    case "joined":
      return `* ${event.name} joined\n`;
    case "left":
      return `* ${event.name} left\n`;
    case "renamed":
      return `* ${event.name} is now ${event.to}\n`;
    case "said":
      return `${event.name}> ${printable(event.text)}\n`;
    case "acted":
      return `* ${event.name} ${printable(event.text)}\n`;
  }
}

/** Whether the event is a message, which goes to the history. */
export function isChatMessage(event: RoomEvent): event is ChatMessage {
  return event.fact === "said" || event.fact === "acted";
}
