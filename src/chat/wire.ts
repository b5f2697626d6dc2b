/**
 * The messages between servers on a bus, encoded as JSON. Received messages are validated; what
 * does not match exactly is ignored.
 *
 * @module
 */
import * as z from "zod";
import { printable } from "../terminal/printable.ts";
import type { ChatMessage, RoomEvent } from "./message.ts";
import { isName } from "./name.ts";

/** A message of one server to the others about a room. */
export type Message = Heartbeat | Bye | EventsMessage | RetransmitRequest | Snapshot;

/** A heartbeat. */
export interface Heartbeat {
  /** The type of the message. */
  kind: "beat";
  /** The sender's node id. */
  nodeId: string;
  /** The sequence number of its latest event. */
  seq: number;
  /** Whether the others are to send a heartbeat, too. */
  hello: boolean;
}

/** The sender leaves, with all its members. */
export interface Bye {
  /** The type of the message. */
  kind: "bye";
  /** The sender's node id. */
  nodeId: string;
}

/** Consecutive events. */
export interface EventsMessage {
  /** The type of the message. */
  kind: "facts";
  /** The sender's node id. */
  nodeId: string;
  /** The sequence number of the first event. */
  first: number;
  /** One or more events. */
  facts: RoomEvent[];
}

/** A negative acknowledgment (NACK): a request for retransmission to another server. */
export interface RetransmitRequest extends SnapshotRequest {
  /** The type of the message. */
  kind: "want";
  /** The sender's node id. */
  nodeId: string;
  /** The receiver's node id. */
  to: string;
}

/** What is requested. */
export interface SnapshotRequest {
  /** The sequence number of the last event received, if any. */
  after?: number | undefined;
  /** Whether a snapshot of the members is requested, too. */
  snapshot: boolean;
}

/** One part of a snapshot of the sender's members. */
export interface Snapshot {
  /** The type of the message. */
  kind: "roster";
  /** The sender's node id. */
  nodeId: string;
  /** The sender's name for users. */
  server: string;
  /** The sequence number of the last event before the snapshot. */
  seq: number;
  /** The sequence number of the first event that will be sent; earlier ones are not available. */
  from: number;
  /** The number of this part, from 0. */
  part: number;
  /** The number of parts. */
  parts: number;
  /** The members. */
  members: NameRegistration[];
}

/** A name, and when it was registered, in milliseconds since 1970. */
export type NameRegistration = [name: string, claimed: number];

/** The longest accepted message, in bytes. */
export const MESSAGE_LIMIT = 64 * 1024;

/** The longest text of one event, in UTF-16 code units: the longest line of a client. */
const TEXT_LIMIT = 4 * 1024;

/** The longest name of a server, in UTF-16 code units. */
const SERVER_LIMIT = 100;

/** The most bytes of a message without its events or members. */
export const ENVELOPE = 512;

/** The most bytes of a member in a snapshot: a name of 24 characters of 4 bytes, and a time. */
const LONGEST_REGISTRATION = 128;

/** The most members per message of a snapshot. */
const MEMBERS_PER_MESSAGE = 500;

/** The version of the format. */
const VERSION = 1;

const COUNT = z.int().nonnegative();
const NAME = z.string().refine(isName);
const NODE_ID = z.string().regex(/^[0-9a-z]{8,16}$/);

const EVENT = z.discriminatedUnion("fact", [
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

const HEADER = { v: z.literal(VERSION), origin: NODE_ID };

const MESSAGE = z.discriminatedUnion("kind", [
  z.object({ ...HEADER, kind: z.literal("beat"), seq: COUNT, hello: z.boolean() }),
  z.object({ ...HEADER, kind: z.literal("bye") }),
  z.object({ ...HEADER, kind: z.literal("facts"), first: COUNT, facts: z.array(EVENT).nonempty() }),
  z.object({
    ...HEADER,
    kind: z.literal("want"),
    to: NODE_ID,
    after: COUNT.optional(),
    roster: z.boolean(),
  }),
  z.object({
    ...HEADER,
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

/** Encodes a message. In the format, `nodeId` is `origin`, and a requested `snapshot` is `roster`. */
export function encode(message: Exclude<Message, EventsMessage>): Uint8Array {
  const { kind, nodeId, ...content } = message;
  const body = "snapshot" in content ? asRosterRequest(content) : content;
  return encoder.encode(JSON.stringify({ v: VERSION, kind, origin: nodeId, ...body }));
}

function asRosterRequest<Content extends SnapshotRequest>({ snapshot, ...content }: Content) {
  return { ...content, roster: snapshot };
}

/** Encodes a message with events, each of which is JSON already. */
export function encodeEvents(
  { nodeId, first, facts }: { nodeId: string; first: number; facts: readonly string[] },
): Uint8Array {
  return encoder.encode(
    `{"v":${VERSION},"kind":"facts","origin":"${nodeId}","first":${first},"facts":[${facts}]}`,
  );
}

/** Encodes a snapshot of the members in messages of at most `limit` bytes. */
export function* encodeSnapshot(
  registrations: readonly NameRegistration[],
  { about, limit }: {
    about: Pick<Snapshot, "nodeId" | "server" | "seq" | "from">;
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

/** Decodes a message; `undefined` if it is invalid. */
export function decode(bytes: Uint8Array): Message | undefined {
  const message = MESSAGE.safeParse(parse(bytes)).data;
  if (message === undefined) return undefined;
  const { v: _, origin: nodeId, ...content } = message;
  if (content.kind !== "want") return { nodeId, ...content };
  const { roster: snapshot, ...request } = content;
  return { nodeId, snapshot, ...request };
}

/** Decodes an archived chat message; `undefined` if it is invalid. */
export function decodeChatMessage(bytes: Uint8Array): ChatMessage | undefined {
  const event = EVENT.safeParse(parse(bytes)).data;
  return event?.fact === "said" || event?.fact === "acted" ? event : undefined;
}

function parse(bytes: Uint8Array): unknown {
  if (bytes.length > MESSAGE_LIMIT) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}
