/**
 * The format of the messages between servers, which servers of other versions read, too.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { decode, encode, encodeEvents, encodeSnapshot, type Message } from "../../src/chat/wire.ts";

const [nodeId, to] = ["one00000", "other000"];
const decoder = new TextDecoder();

const ENCODED: readonly [message: Exclude<Message, { kind: "facts" }>, json: string][] = [
  [
    { kind: "beat", nodeId, seq: 7, hello: true },
    '{"v":1,"kind":"beat","origin":"one00000","seq":7,"hello":true}',
  ],
  [{ kind: "bye", nodeId }, '{"v":1,"kind":"bye","origin":"one00000"}'],
  [
    { kind: "want", nodeId, to, after: 3, snapshot: false },
    '{"v":1,"kind":"want","origin":"one00000","to":"other000","after":3,"roster":false}',
  ],
  [
    { kind: "want", nodeId, to, after: undefined, snapshot: true },
    '{"v":1,"kind":"want","origin":"one00000","to":"other000","roster":true}',
  ],
];

for (const [message, json] of ENCODED) {
  Deno.test(`a message between servers is encoded as ${json}`, () => {
    assertEquals(decoder.decode(encode(message)), json);
    const { after, ...rest } = { after: undefined, ...message };
    assertEquals(decode(encode(message)), after === undefined ? rest as Message : message);
  });
}

Deno.test("events between servers are encoded as JSON with the sender's node id as origin", () => {
  const event = { fact: "left", name: "ann" } as const;
  const bytes = encodeEvents({ nodeId, first: 4, facts: [JSON.stringify(event)] });
  assertEquals(
    decoder.decode(bytes),
    '{"v":1,"kind":"facts","origin":"one00000","first":4,"facts":[{"fact":"left","name":"ann"}]}',
  );
  assertEquals(decode(bytes), { kind: "facts", nodeId, first: 4, facts: [event] });
});

Deno.test("a snapshot between servers is encoded as a roster", () => {
  const about = { nodeId, server: "here", seq: 2, from: 3 };
  const [bytes, ...more] = encodeSnapshot([["ann", 5]], { about, limit: 1000 });
  assertEquals(more, []);
  assertEquals(
    decoder.decode(bytes),
    '{"v":1,"kind":"roster","origin":"one00000","server":"here","seq":2,"from":3,' +
      '"part":0,"parts":1,"members":[["ann",5]]}',
  );
  assertEquals(decode(bytes!), {
    ...about,
    kind: "roster",
    part: 0,
    parts: 1,
    members: [["ann", 5]],
  });
});
