/** `output`, `hex-dump` and `json` of UDP outlets: what their sessions receive and send. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { UdpClient } from "../harness/datagrams.ts";
import { run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { testWith } from "../harness/tools.ts";

Deno.test("output and hex-dump have the datagrams of all sessions, in order", async () => {
  await using folder = await TemporaryDirectory.make();
  const [path, dump] = [`${folder.path}/received`, `${folder.path}/dump`];
  await Deno.writeTextFile(path, "from an earlier server\n");
  await using server = await TestServer.open(`echo+udp://:0?output=${path}&hex-dump=${dump}`);
  using first = new UdpClient(server.port());
  using second = new UdpClient(server.port());
  await first.ask("one\n");
  await second.ask("two\n");
  await first.ask("three\n");
  assertEquals(await Deno.readTextFile(path), "one\ntwo\nthree\n");
  const lines = (await Deno.readTextFile(dump)).split("\n").slice(0, -1);
  assertEquals(lines.map((line) => line.split(" ")[1]), ["<", ">", "<", ">", "<", ">"]);
  assertMatch(lines[4]!, /^#\d+ < \S+Z 00000004 {2}74 68 72 65 65 0a +\|three\.\|$/);
});

Deno.test("json writes a record for each datagram, beside a capture", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/records`;
  await using server = await TestServer.open(
    `echo+udp://:0?json&output=${path}&capture=${folder.path}/captures`,
  );
  using client = new UdpClient(server.port());
  await client.ask("hello");
  await client.ask(Uint8Array.of(0xff));
  await client.ask("");
  const lines = (await Deno.readTextFile(path)).split("\n").slice(0, -1);
  const records = lines.map((line) => JSON.parse(line));
  assertEquals(records.map(({ direction, bytes }) => [direction, bytes]), [
    ["received", 5],
    ["sent", 5],
    ["received", 1],
    ["sent", 1],
    ["received", 0],
    ["sent", 0],
  ]);
  assertEquals([records[0].text, records[2].base64], ["hello", "/w=="]);
  assertEquals(records[0].peer, `127.0.0.1:${client.port}`);
  const [capture] = [...Deno.readDirSync(`${folder.path}/captures`)];
  const captured = await Deno.readTextFile(`${folder.path}/captures/${capture!.name}`);
  assertStringIncludes(captured, "|hello|");
});

Deno.test("a session whose datagrams cannot be written ends, and the log says why", async () => {
  await using server = await TestServer.open("echo+udp://:0?output=/dev/full");
  using client = new UdpClient(server.port());
  await client.send("hello");
  const { reason, connection } = await server.event("closed");
  assertStringIncludes(reason, "cannot write to /dev/full");
  await client.send("again");
  await server.event("closed", (event) => event.connection !== connection);
});

testWith(
  ["mkfifo"],
  "sessions end and the server stops while the output file cannot be opened",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const path = `${folder.path}/fifo`;
    await run(["mkfifo", path]);
    await using server = await TestServer.open(`echo+udp://:0?output=${path}&idle-timeout=1s`);
    using client = new UdpClient(server.port());
    await client.send("hello");
    const { connection, reason } = await server.event("closed");
    assertEquals(reason, "idle");
    await client.send("again");
    await server.event("opened", (event) => event.connection !== connection);
    await server.server.stop({ grace: 0 });
    // What waits for the file ends with a reader, and writes nothing any more.
    assertEquals(await Deno.readTextFile(path), "");
  },
);
