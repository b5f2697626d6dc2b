/**
 * What rooms of the same name say to each other over a bus: small JSON objects. What comes from a bus is
 * input like any other: whatever is not exactly such a message is no message.
 *
 * @module
 */
import * as z from "zod";
import { printable } from "../terminal/printable.ts";
import type { ChatMessage, RoomEvent } from "./message.ts";
import { isName } from "./name.ts";

/** What one server tells the others about its part of a room. `origin` is that server. */
export type Message = Heartbeat | Bye | Facts | RetransmitRequest | Snapshot;

/** It is there, and has told so many facts; `hello` asks the others to say the same. */
export interface Heartbeat {
  /** Tells it from the other messages. */
  kind: "beat";
  /** The server. */
  origin: string;
  /** The number of its latest fact. */
  seq: number;
  /** Whether the others are to beat, too. */
  hello: boolean;
}

/** It leaves, with all its members. */
export interface Bye {
  /** Tells it from the other messages. */
  kind: "bye";
  /** The server. */
  origin: string;
}

/** What happened there, in order. */
export interface Facts {
  /** Tells it from the other messages. */
  kind: "facts";
  /** The server. */
  origin: string;
  /** The number of the first of them. */
  first: number;
  /** One or more. */
  facts: RoomEvent[];
}

/** It wants to know more of another server. */
export interface RetransmitRequest extends SnapshotRequest {
  /** Tells it from the other messages. */
  kind: "want";
  /** The server that asks. */
  origin: string;
  /** The server that is asked. */
  to: string;
}

/** What one server wants to know of another. */
export interface SnapshotRequest {
  /** The number of the last fact that it has; absent where it has none. */
  after?: number | undefined;
  /** Whether it also has to know who is there. */
  roster: boolean;
}

/** Who is in its part of the room: one of several parts. */
export interface Snapshot {
  /** Tells it from the other messages. */
  kind: "roster";
  /** The server. */
  origin: string;
  /** What it calls itself, for people. */
  server: string;
  /** After which fact that is. */
  seq: number;
  /** The number of the first fact that follows: earlier ones can't be had. */
  from: number;
  /** Which part this is, from 0. */
  part: number;
  /** How many there are. */
  parts: number;
  /** The members. */
  members: NameRegistration[];
}

/** A name, and when it was asked for. */
export type NameRegistration = [name: string, claimed: number];

/** The longest message, in bytes. NATS carries up to a megabyte; small ones let others through. */
export const MESSAGE_LIMIT = 64 * 1024;

/** The longest words of one fact, in UTF-16 units: what a line of a client can hold. */
const TEXT_LIMIT = 4 * 1024;

/** The most that a server calls itself, in UTF-16 units. */
const SERVER_LIMIT = 100;

/** The most bytes of a message besides its facts or members: its kind, and what its server calls itself. */
export const ENVELOPE = 512;

/** The most bytes of a member in a snapshot: 24 characters of 4 bytes, and a time. */
const LONGEST_REGISTRATION = 128;

/** How many members go into one message of a roster. */
const MEMBERS_PER_MESSAGE = 500;

/** Tells ours from whatever else is published. A later format will have another number. */
const VERSION = 1;

const COUNT = z.int().nonnegative();
const NAME = z.string().refine(isName);
const ORIGIN = z.string().regex(/^[0-9a-z]{8,16}$/);

const FACT = z.discriminatedUnion("fact", [
  z.object({ fact: z.literal("joined"), name: NAME, claimed: COUNT }),
  z.object({ fact: z.literal("left"), name: NAME }),
  z.object({ fact: z.literal("renamed"), name: NAME, to: NAME, claimed: COUNT }),
  z.object({
    fact: z.enum(["said", "acted"]),
    name: NAME,
    text: z.string().max(TEXT_LIMIT),
    at: COUNT,
  }),
]);

const ABOUT = { v: z.literal(VERSION), origin: ORIGIN };

const MESSAGE = z.discriminatedUnion("kind", [
  z.object({ ...ABOUT, kind: z.literal("beat"), seq: COUNT, hello: z.boolean() }),
  z.object({ ...ABOUT, kind: z.literal("bye") }),
  z.object({ ...ABOUT, kind: z.literal("facts"), first: COUNT, facts: z.array(FACT).nonempty() }),
  z.object({
    ...ABOUT,
    kind: z.literal("want"),
    to: ORIGIN,
    after: COUNT.optional(),
    roster: z.boolean(),
  }),
  z.object({
    ...ABOUT,
    kind: z.literal("roster"),
    server: z.string().max(SERVER_LIMIT).transform(printable),
    seq: COUNT,
    from: COUNT,
    part: COUNT,
    parts: COUNT.max(1000),
    members: z.array(z.tuple([NAME, COUNT])),
  }).refine(({ seq, from, part, parts }) => from <= seq + 1 && part < parts),
]);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The bytes of a message. */
export function encode(message: Exclude<Message, Facts>): Uint8Array {
  return encoder.encode(JSON.stringify({ v: VERSION, ...message }));
}

/** The bytes of a message with facts, each of which is JSON already. */
export function encodeFacts(
  { origin, first, facts }: { origin: string; first: number; facts: readonly string[] },
): Uint8Array {
  return encoder.encode(
    `{"v":${VERSION},"kind":"facts","origin":"${origin}","first":${first},"facts":[${facts}]}`,
  );
}

/** A snapshot of the members, in as many messages as it needs where a message may have `limit` bytes. */
export function* encodeSnapshot(
  registrations: readonly NameRegistration[],
  { about, limit }: {
    about: Pick<Snapshot, "origin" | "server" | "seq" | "from">;
    limit: number;
  },
): Generator<Uint8Array> {
  const room = Math.max(1, Math.floor((limit - ENVELOPE) / LONGEST_REGISTRATION));
  const size = Math.min(MEMBERS_PER_MESSAGE, room);
  const parts = Math.max(1, Math.ceil(registrations.length / size));
  const server = about.server.slice(0, SERVER_LIMIT);
  for (let part = 0; part < parts; part++) {
    const members = registrations.slice(part * size, (part + 1) * size);
    yield encode({ kind: "roster", ...about, server, part, parts, members });
  }
}

/** The message in these bytes; `undefined` where there is none. */
export function decode(bytes: Uint8Array): Message | undefined {
  return MESSAGE.safeParse(parse(bytes)).data;
}

/** What somebody said, in bytes that an archive kept; `undefined` where it is nothing of that kind. */
export function decodeChatMessage(bytes: Uint8Array): ChatMessage | undefined {
  const fact = FACT.safeParse(parse(bytes)).data;
  return fact?.fact === "said" || fact?.fact === "acted" ? fact : undefined;
}

function parse(bytes: Uint8Array): unknown {
  if (bytes.length > MESSAGE_LIMIT) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}
