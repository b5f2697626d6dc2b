/** A bus is input like any other: nothing that it does ends the process, stops the other outlets, or fills memory. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readUntil, send } from "../harness/bytes.ts";
import { Guest } from "../harness/crowd.ts";
import { eventually } from "../harness/eventually.ts";
import { NatsServer } from "../harness/nats.ts";
import { outlet, Program, ROOT } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** What an outlet server may have in memory while a bus floods it, in bytes; without bounds it was over 500 MB. */
const MEMORY = 400 * 1024 * 1024;

const CASES = [
  { kind: "before-info", tells: /more than 256 KiB came before the handshake was over/ },
  { kind: "garbage", tells: /"event":"bus-disconnected"/ },
  { kind: "endless-line", tells: /"event":"bus-disconnected"/ },
  { kind: "huge-message", tells: /"event":"bus-disconnected"/ },
  { kind: "pings", tells: /"event":"bus-disconnected"/ },
];

for (const { kind, tells } of CASES) {
  testWith(["python3"], `a bus that sends ${kind} costs the other outlets nothing`, async () => {
    await using bus = new Program(["python3", `${ROOT}tests/harness/peers/hostile_nats.py`, kind]);
    const [port] = await bus.prints(/^\d+/);
    await using server = new Program(
      outlet(
        ...["server", "echo://:0", "chat://:0?room=all", "--log-format", "json"],
        ...["--bus", `nats://127.0.0.1:${port}`],
      ),
    );
    const [, echoPort] = await server.complains(/"listening".*"echo".*127\.0\.0\.1:(\d+)/);
    await server.complains(tells);
    using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(echoPort) });
    for (let i = 0; i < 50; i++) {
      await send(client, `still ${i}\n`);
      await readUntil(client, new RegExp(`still ${i}\n`));
    }
    assert(memoryOf(server.pid) < MEMORY, `${memoryOf(server.pid)} bytes`);
    server.signal("SIGTERM");
    const { stdout } = await server.outcome();
    assertEquals(stdout, "", "what a library prints is not the program's output");
  });
}

testWith(["nats-server"], "a bus that takes small messages gets them small", async () => {
  await using nats = await NatsServer.start({ config: "max_payload: 2048" });
  await using here = await TestServer.open("chat://:0?room=all", "echo://:0", "--bus", nats.url);
  await using there = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
  await Promise.all([here, there].map((server) => server.event("bus-connected")));
  using alice = await Guest.join(here.port());
  using bob = await Guest.join(there.port());
  await bob.countsMembers(2);
  const lines = Array.from({ length: 20 }, (_, i) => `${i} ${"x".repeat(300)}`);
  await alice.type(lines.join("\n"));
  await bob.until(() => bob.said.length === lines.length);
  assertEquals(bob.said.map((line) => line.replace(/^guest-\d+> /, "")), lines);
  await alice.type("y".repeat(3000));
  await bob.until(() => bob.said.length === lines.length + 1);
  assertMatch(bob.said.at(-1)!, /^guest-\d+> \([\d.]+ KiB: more than the bus takes\)$/);
  assertEquals(here.server.roomsStatus().buses[0]!.traffic.dropped, 1);
});

testWith(["nats-server"], "a bus that takes less and less is followed", async () => {
  await using nats = await NatsServer.start({ config: "max_payload: 65536" });
  await using here = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
  await using there = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
  await Promise.all([here, there].map((server) => server.event("bus-connected")));
  using alice = await Guest.join(here.port());
  using bob = await Guest.join(there.port());
  await bob.countsMembers(2);
  nats.configure("max_payload: 1024");
  await nats.reload();
  const text = "z".repeat(900);
  await eventually(async () => {
    await alice.type(text);
    return bob.said.some((line) => line.endsWith("more than the bus takes)"));
  }, "a line that the bus takes no longer");
  await alice.type("short");
  await bob.until(() => bob.said.some((line) => line.endsWith("> short")));
});

function memoryOf(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kilobytes) * 1024;
}
