/**
 * What NATS calls the topics of a bus.
 *
 * @module
 */
import type { Topic } from "./bus.ts";

/** The subject `outlet.room.NAME`, in which NATS takes neither spaces nor dots nor wildcards. */
export function subjectOf(topic: Topic): string {
  const escape = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  const word = (text: string) =>
    encodeURIComponent(text.toWellFormed()).replace(/[.*!~'()]/g, escape);
  return ["outlet", ...topic.map(word)].join(".");
}
