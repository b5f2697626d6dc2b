import { assert, assertEquals, assertMatch } from "@std/assert";
import { runOperator } from "../../src/cli/operator.ts";
import { ladderOf } from "../../src/trace/report/ladder.ts";
import { renderLadder } from "../../src/trace/report/ladder_text.ts";
import type { OutletEvent } from "../../src/events/events.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { Ladders } from "../../src/telemetry/ladders.ts";
import { Rooms } from "../../src/chat/rooms.ts";
import { Connection } from "../../src/connection/connection.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { seen, testLive, watchLoopback } from "./watch.ts";

/** A folder on no PATH, so that there is no tcpdump. */
const NO_TCPDUMP = { env: { PATH: "/nonexistent" } };

function listen(backlog = 16): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: backlog });
}

function clientWords(port: number, ...more: string[]): [string, ...string[]] {
  return outlet("client", "--trace", ...more, "127.0.0.1", `${port}`);
}

/** The words for an address where nothing listens, as long as somebody holds the port on another one. */
function refusedWords(port: number): [string, ...string[]] {
  return outlet("client", "--trace", "127.0.0.2", `${port}`);
}

function rungsOf(text: string): string[] {
  return text.split("\n").filter((line) => line.includes("│"));
}

testLive("outlet client --trace shows its own handshake with the numbers of the wire", async () => {
  using listener = listen();
  const { port } = listener.addr;
  await using watch = await watchLoopback(port);
  await using client = new Program(clientWords(port), { stdin: "" });
  (await listener.accept()).close();
  const { code, stderr } = await client.outcome();
  const flow = await seen(watch, ({ establishedAt }) => establishedAt !== undefined);
  assertEquals(code, 0);
  assertEquals(
    rungsOf(stderr).slice(0, 3).map((line) => /│(.*)│/.exec(line)?.[1]),
    rungsOf(renderLadder(ladderOf(flow))).slice(0, 3).map((line) => /│(.*)│/.exec(line)?.[1]),
  );
  assertMatch(stderr, /Established in/);
});

testLive("outlet client --trace --relative counts from each end's first number", async () => {
  using listener = listen();
  await using client = new Program(clientWords(listener.addr.port, "--relative"), { stdin: "" });
  (await listener.accept()).close();
  const { code, stderr } = await client.outcome();
  assertEquals(code, 0);
  const labels = rungsOf(stderr).slice(0, 3).map((line) =>
    /│.*?([A-Z+]+ seq=\d+(?: ack=\d+)?)/.exec(line)?.[1]
  );
  assertEquals(labels[0], "SYN seq=0");
  assertMatch(labels[1]!, /^SYN\+ACK seq=0 ack=1/);
  assertMatch(labels[2]!, /^ACK seq=1 ack=1/);
});

testLive("outlet client --trace shows an attempt that is refused", async () => {
  using listener = listen();
  const { code, stderr } = await run(refusedWords(listener.addr.port));
  assertEquals(code, 1);
  assertMatch(stderr, /│─ SYN seq=\d+/);
  assertMatch(stderr, /│◀─+ RST\+ACK seq=0 ack=\d+ ─│ CLOSED/);
  assert(!stderr.includes("inferred"));
});

testLive("outlet client --trace shows an attempt that nobody answers", async () => {
  using listener = listen(1);
  const { port } = listener.addr;
  using _first = await Deno.connect({ port });
  using _second = await Deno.connect({ port });
  const { code, stderr } = await run(clientWords(port, "--connect-timeout", "1500ms"));
  assertEquals(code, 1);
  assertMatch(stderr, /│─ ↻ SYN seq=\d+/);
  assertMatch(stderr, /No answer: the SYN was sent \d times/);
});

Deno.test("Without a capture, outlet client --trace says why, and labels every line inferred", async () => {
  using listener = listen();
  const { port } = listener.addr;
  await using client = new Program(clientWords(port), { stdin: "", ...NO_TCPDUMP });
  (await listener.accept()).close();
  const { code, stderr } = await client.outcome();
  assertEquals(code, 0);
  assertMatch(stderr, /there is no tcpdump in PATH/);
  assertEquals(rungsOf(stderr).length, 3);
  for (const line of rungsOf(stderr)) assertMatch(line, /\(inferred\)/);
  assertMatch(stderr, /Established in .* \(inferred\)/);
});

Deno.test("Without a capture, a refusal is inferred from what connect said", async () => {
  using listener = listen();
  const { code, stderr } = await run(refusedWords(listener.addr.port), NO_TCPDUMP);
  assertEquals(code, 1);
  assertEquals(rungsOf(stderr).length, 2);
  for (const line of rungsOf(stderr)) assertMatch(line, /\(inferred\)/);
  assertMatch(stderr, /Refused after/);
});

/** The first event of this name, past or to come. */
function eventOf(eventBus: EventBus, name: OutletEvent["event"]): Promise<OutletEvent> {
  const { promise, resolve } = Promise.withResolvers<OutletEvent>();
  eventBus.subscribe((event) => event.event === name && resolve(event));
  return promise;
}

testLive("A server's connections have the ladders of their handshakes", async () => {
  using listener = listen();
  const { port } = listener.addr;
  const eventBus = new EventBus();
  await using ladders = new Ladders(eventBus);
  const tracing = eventOf(eventBus, "tracing");
  await ladders.capture([port]);
  assertEquals(await tracing, { event: "tracing", ports: 1 });

  using _client = await Deno.connect({ port });
  using connection = new Connection(await listener.accept(), { id: 1 });
  const flow = await seen(ladders.watch!, ({ establishedAt }) => establishedAt !== undefined);
  const ladder = ladders.of(connection)!;
  assertEquals(ladder.notes[0], `j = ${flow.client.isn}, k = ${flow.server.isn}`);

  let shown = "";
  await runOperator(typed("/connections"), {
    rooms: new Rooms(),
    connections: () => [{ outlet: { name: "echo", address: connection.local }, connection }],
    ladder: (connection) => renderLadder(ladders.of(connection)!),
    quit: () => {},
    show: (text) => shown += text,
  });
  assertMatch(shown, /#1 +echo/);
  assert(shown.includes(`SYN seq=${flow.client.isn}`), shown);
});

async function* typed(text: string): AsyncGenerator<{ text: string }> {
  yield { text };
}

testLive("A server whose ports change has its new ports captured", async () => {
  using first = listen();
  using second = listen();
  const { port } = second.addr;
  await using ladders = new Ladders(new EventBus());
  await ladders.capture([first.addr.port]);
  await ladders.capture([first.addr.port, port]);
  using _client = await Deno.connect({ port });
  using connection = new Connection(await second.accept(), { id: 1 });
  await seen(
    ladders.watch!,
    ({ establishedAt, server }) => establishedAt !== undefined && server.port === port,
  );
  assertMatch(ladders.of(connection)!.notes[0]!, /^j = \d+, k = \d+$/);
});

Deno.test("A connection of which nothing was captured has an inferred ladder", async () => {
  using listener = listen();
  await using ladders = new Ladders(new EventBus());
  using _client = await Deno.connect({ port: listener.addr.port });
  using connection = new Connection(await listener.accept(), { id: 1 });
  const ladder = ladders.of(connection)!;
  assertEquals(ladder.rungs.every(({ label }) => label.endsWith("(inferred)")), true);
  assertEquals(ladder.diagnosis.words, "Established (inferred).");
});

testLive(
  "outlet server --trace captures the ports it opened, and ends its capture with itself",
  async () => {
    await using server = new Program(
      outlet("server", "--trace", "--service", "echo", "--port", "0", "--log-format", "json"),
    );
    await server.complains(/"event":"tracing".*"ports":1/);
    const { stdout } = await run(["ps", "-o", "args=", "--ppid", `${server.pid}`]);
    assertMatch(stdout, /tcpdump .*port \d+/);
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
    assertEquals((await run(["ps", "-o", "args=", "--ppid", `${server.pid}`])).stdout, "");
  },
);

Deno.test("outlet server --trace serves without tcpdump, and says that handshakes are inferred", async () => {
  await using server = new Program(
    outlet("server", "--trace", "--service", "echo", "--port", "0"),
    NO_TCPDUMP,
  );
  await server.complains(/trace +unavailable: handshakes are inferred: .*no tcpdump/);
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).code, 0);
});

Deno.test("outlet server without --trace starts no tcpdump", async () => {
  await using server = new Program(outlet("server", "--service", "echo", "--port", "0"));
  await server.complains(/ready/);
  const { stdout } = await run(["ps", "-o", "args=", "--ppid", `${server.pid}`]);
  assertEquals(stdout, "");
});
