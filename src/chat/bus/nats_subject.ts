/**
 * The NATS subjects of topics.
 *
 * @module
 */
import type { Topic } from "./bus.ts";

/**
 * Returns the subject, such as `outlet.room.NAME`. Spaces, dots and wildcards are percent-encoded.
 */
export function subjectOf(topic: Topic): string {
  const escape = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  const word = (text: string) =>
    encodeURIComponent(text.toWellFormed()).replace(/[.*!~'()]/g, escape);
  return ["outlet", ...topic.map(word)].join(".");
}
