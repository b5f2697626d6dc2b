/** A bus with a small maximum payload: lines that fit are sent, others are reported and counted. */
import { assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../harness/chat_client.ts";
import { eventually } from "../harness/eventually.ts";
import { NatsServer } from "../harness/nats.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

testWith(["nats-server"], "messages are split to fit the bus's maximum payload", async () => {
  await using nats = await NatsServer.start({ config: "max_payload: 2048" });
  await using here = await TestServer.open("chat://:0?room=all", "echo://:0", "--bus", nats.url);
  await using there = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
  await Promise.all([here, there].map((server) => server.event("bus-connected")));
  using alice = await ChatClient.join(here.port());
  using bob = await ChatClient.join(there.port());
  await bob.countsMembers(2);
  const lines = Array.from({ length: 20 }, (_, i) => `${i} ${"x".repeat(300)}`);
  await alice.sendLine(lines.join("\n"));
  await bob.until(() => bob.messages.length === lines.length);
  assertEquals(bob.messages.map((line) => line.replace(/^guest-\d+> /, "")), lines);
  await alice.sendLine("y".repeat(3000));
  await bob.until(() => bob.messages.length === lines.length + 1);
  assertMatch(bob.messages.at(-1)!, /^guest-\d+> \([\d.]+ KiB: more than the bus takes\)$/);
  assertEquals(here.server.roomsStatus().buses[0]!.traffic.dropped, 1);
});

testWith(
  ["nats-server"],
  "a maximum payload that is lowered while connected is obeyed",
  async () => {
    await using nats = await NatsServer.start({ config: "max_payload: 65536" });
    await using here = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
    await using there = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
    await Promise.all([here, there].map((server) => server.event("bus-connected")));
    using alice = await ChatClient.join(here.port());
    using bob = await ChatClient.join(there.port());
    await bob.countsMembers(2);
    nats.configure("max_payload: 1024");
    await nats.reload();
    const text = "z".repeat(900);
    await eventually(async () => {
      await alice.sendLine(text);
      return bob.messages.some((line) => line.endsWith("more than the bus takes)"));
    }, "a line that the bus takes no longer");
    await alice.sendLine("short");
    await bob.until(() => bob.messages.some((line) => line.endsWith("> short")));
  },
);
