import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { readUntil, send } from "../harness/bytes.ts";
import { Program } from "../harness/program.ts";
import { from, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** Joins the room and reads the welcome. */
async function join(server: TestServer, index = 0): Promise<Deno.TcpConn> {
  const member = await server.connect(index);
  await readUntil(member, /lists commands\n/);
  return member;
}

Deno.test("a member's lines reach the others under its name, and joins and leaves are announced", async () => {
  await using server = await TestServer.open("chat://:0");
  using alice = await join(server);
  const bob = await join(server);
  assertEquals(await readUntil(alice, /\n/), "* guest-2 joined\n");
  await send(bob, "/name bob\r\nhello\r\n/me waves\n");
  assertEquals(await readUntil(bob, /\n/), "* you are bob\n");
  assertEquals(
    await readUntil(alice, /waves\n/),
    "* guest-2 is now bob\nbob> hello\n* bob waves\n",
  );
  bob.close();
  assertEquals(await readUntil(alice, /\n/), "* bob left\n");
});

Deno.test("a member can list members and commands, and errors are explained", async () => {
  await using server = await TestServer.open("chat://:0");
  using alice = await join(server);
  await send(alice, "/who\n");
  assertEquals(await readUntil(alice, /\n/), "* 1 here: guest-1\n");
  await send(alice, "/help\n");
  const help = await readUntil(alice, /\/help .*\n/);
  for (const command of ["/name", "/who", "/me", "/quit"]) assert(help.includes(command));
  await send(alice, "/dance\u001b[2J\n");
  assertEquals(
    await readUntil(alice, /\n/),
    "* unknown command /dance␛[2J; /help lists commands\n",
  );
  await send(alice, "/name\n");
  assertMatch(await readUntil(alice, /\n/), /a name is 1 to 24 letters/);
  await send(alice, "/quit\n");
  assertEquals(await readUntil(alice, /\n/), "* goodbye\n");
  assertEquals((await server.event("closed")).reason, "peer quit");
});

Deno.test("each outlet has its own room, unless rooms have the same name", async () => {
  await using server = await TestServer.open(
    "chat://:0",
    "chat://:0",
    "chat://:0?room=ops",
    "chat://:0?room=ops",
  );
  using apart = await join(server, 0);
  using _alone = await join(server, 1);
  using here = await join(server, 2);
  using there = await join(server, 3);
  await send(there, "together\n");
  assertEquals(await readUntil(here, /together\n/), "* guest-2 joined\nguest-2> together\n");
  await send(apart, "/who\n");
  assertEquals(await readUntil(apart, /\n/), "* 1 here: guest-1\n");
});

Deno.test("new members are shown the configured number of last lines, and can ask for them again", async () => {
  await using server = await TestServer.open("chat://:0?room=ops&history=2", "chat://:0?room=ops");
  using alice = await join(server);
  await send(alice, "/history\none\ntwo\n/me waves\n/who\n");
  assertMatch(await readUntil(alice, /1 here.*\n/), /^\* no history\n/);
  using bob = await server.connect();
  const lately = "* the last 2 lines:\nguest-1> two\n* guest-1 waves\n";
  assert((await readUntil(bob, /waves\n/)).endsWith(lately));
  await send(bob, "/history\n");
  assertEquals(await readUntil(bob, /waves\n/), lately);
  using carol = await server.connect(1);
  assert((await readUntil(carol, /\n/)).endsWith("/help lists commands\n"));
});

Deno.test("invalid UTF-8, escapes and control characters are replaced", async () => {
  await using server = await TestServer.open("chat://:0");
  using alice = await join(server);
  using bob = await join(server);
  await send(bob, Uint8Array.of(0xff, 0x41, 0x1b, 0x5b, 0x32, 0x4a, 0xc2, 0x9b, 0x0a));
  assertEquals(
    await readUntil(alice, /guest-2>.*\n/),
    "* guest-2 joined\nguest-2> \ufffdA␛[2J\ufffd\n",
  );
});

Deno.test("10 MB without a newline are one truncated line, and the room continues", async () => {
  await using server = await TestServer.open("chat://:0");
  using alice = await join(server);
  using bob = await join(server);
  await readUntil(alice, /joined\n/);
  const megabyte = new Uint8Array(1_000_000).fill(0x78);
  for (let i = 0; i < 10; i++) await send(bob, megabyte);
  await send(bob, "\nstill here\n");
  assertEquals(
    await readUntil(alice, /still here\n/),
    `guest-2> ${"x".repeat(4096)}\nguest-2> still here\n`,
  );
  assertEquals(await readUntil(bob, /\n/), "* your line was truncated to 4096 bytes\n");
});

Deno.test("a member that does not read is disconnected, without effect on others", async () => {
  await using server = await TestServer.open("chat://:0");
  using stalled = await join(server);
  using alice = await join(server);
  using bob = await join(server);
  await readUntil(alice, /joined\n/);
  const line = "y".repeat(4000) + "\n";
  const stalledClosed = server.event("closed", from(stalled));
  let isClosed = false;
  stalledClosed.then(() => isClosed = true);
  let said = 0;
  let received = "";
  while (!isClosed) {
    await send(bob, line);
    said++;
    received += await readUntil(alice, /y\n/);
  }
  assertEquals((await stalledClosed).reason, "error: slow consumer, 256 KiB queued");
  await send(bob, "done\n");
  received += await readUntil(alice, /done\n/);
  assertEquals(received.split(`guest-3> ${line}`).length - 1, said);
  assertEquals(received.split("* guest-1 left\n").length - 1, 1);
  assert(said * line.length > 256 * 1024);
});

Deno.test("a member that floods is held back, and members that read lose nothing", async () => {
  await using server = await TestServer.open("chat://:0");
  using alice = await join(server);
  using bob = await join(server);
  await readUntil(alice, /joined\n/);
  const count = 200_000;
  const flood = send(bob, "a\n".repeat(count));
  let lines = 0;
  const buffer = new Uint8Array(64 * 1024);
  while (lines < count) {
    const n = await alice.read(buffer);
    if (n === null) throw new Error(`cut off after ${lines} lines`);
    for (const byte of buffer.subarray(0, n)) if (byte === 0x0a) lines++;
  }
  await flood;
  assertEquals(lines, count);
});

testWith(["ncat", "socat"], "ncat and socat talk to each other in a room", async () => {
  await using server = await TestServer.open("chat://:0");
  await using ncat = new Program(["ncat", "127.0.0.1", `${server.port()}`]);
  await ncat.prints(/you are guest-1/);
  await using socat = new Program(["socat", "-", `TCP:127.0.0.1:${server.port()}`]);
  await socat.prints(/you are guest-2/);
  await ncat.type("from ncat\n");
  await socat.prints(/guest-1> from ncat/);
  await socat.type("from socat\n");
  await ncat.prints(/guest-2> from socat/);
  await socat.end();
  await ncat.prints(/guest-2 left/);
});

Deno.test("members are told that the server stops, and can still send", async () => {
  await using server = await TestServer.open("chat://:0");
  const alice = await join(server);
  const stopped = server.server.stop({ grace: 10_000 });
  assertEquals(await readUntil(alice, /\n/), "* the server is stopping\n");
  alice.close();
  assertEquals(await stopped, 0);
});

Deno.test("a line that arrives too slowly is timed out", async () => {
  await using server = await TestServer.open("chat://:0?line-timeout=5s&idle-timeout=1h");
  using idle = await join(server);
  await send(idle, "/wh");
  await send(idle, "o\n");
  await readUntil(idle, /1 here: guest-1\n/);
  using slow = await join(server);
  let isDone = false;
  const dribble = (async () => {
    while (!isDone) {
      await slow.write(new Uint8Array([0x61])).catch(() => isDone = true);
      await delay(20);
    }
  })();
  const { reason } = await server.event("closed", from(slow));
  isDone = true;
  await dribble;
  assertEquals(reason, "line timeout");
  // A complete line may follow after any time.
  await send(idle, "/who\n");
  await readUntil(idle, /1 here: guest-1\n/);
});
