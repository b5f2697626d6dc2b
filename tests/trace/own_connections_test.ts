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
import { captureLoopback, testLive, waitForFlow } from "./watch.ts";

/** A PATH without tcpdump. */
const NO_TCPDUMP = { env: { PATH: "/nonexistent" } };

function listen(backlog = 16): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: backlog });
}

function clientArgs(port: number, ...more: string[]): [string, ...string[]] {
  return outlet("client", "--trace", ...more, "127.0.0.1", `${port}`);
}

/** Command line for an address where nothing listens, while the port is bound on another one. */
function refusedArgs(port: number): [string, ...string[]] {
  return outlet("client", "--trace", "127.0.0.2", `${port}`);
}

function rungsOf(text: string): string[] {
  return text.split("\n").filter((line) => line.includes("│"));
}

testLive("outlet client --trace shows its own handshake with its sequence numbers", async () => {
  using listener = listen();
  const { port } = listener.addr;
  await using watch = await captureLoopback(port);
  await using client = new Program(clientArgs(port), { stdin: "" });
  (await listener.accept()).close();
  const { code, stderr } = await client.outcome();
  const flow = await waitForFlow(watch, ({ establishedAt }) => establishedAt !== undefined);
  assertEquals(code, 0);
  assertEquals(
    rungsOf(stderr).slice(0, 3).map((line) => /│(.*)│/.exec(line)?.[1]),
    rungsOf(renderLadder(ladderOf(flow))).slice(0, 3).map((line) => /│(.*)│/.exec(line)?.[1]),
  );
  assertMatch(stderr, /Established in/);
});

testLive("outlet client --trace --relative counts from each ISN", async () => {
  using listener = listen();
  await using client = new Program(clientArgs(listener.addr.port, "--relative"), { stdin: "" });
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

testLive("outlet client --trace shows a refused attempt", async () => {
  using listener = listen();
  const { code, stderr } = await run(refusedArgs(listener.addr.port));
  assertEquals(code, 1);
  assertMatch(stderr, /│─ SYN seq=\d+/);
  assertMatch(stderr, /│◀─+ RST\+ACK seq=0 ack=\d+ ─│ CLOSED/);
  assert(!stderr.includes("inferred"));
});

testLive("outlet client --trace shows an unanswered attempt", async () => {
  using listener = listen(1);
  const { port } = listener.addr;
  using _first = await Deno.connect({ port });
  using _second = await Deno.connect({ port });
  const { code, stderr } = await run(clientArgs(port, "--connect-timeout", "1500ms"));
  assertEquals(code, 1);
  assertMatch(stderr, /│─ ↻ SYN seq=\d+/);
  assertMatch(stderr, /No answer: the SYN was sent \d times/);
});

Deno.test("Without a capture, outlet client --trace says why, and labels every line inferred", async () => {
  using listener = listen();
  const { port } = listener.addr;
  await using client = new Program(clientArgs(port), { stdin: "", ...NO_TCPDUMP });
  (await listener.accept()).close();
  const { code, stderr } = await client.outcome();
  assertEquals(code, 0);
  assertMatch(stderr, /there is no tcpdump in PATH/);
  assertEquals(rungsOf(stderr).length, 3);
  for (const line of rungsOf(stderr)) assertMatch(line, /\(inferred\)/);
  assertMatch(stderr, /Established in .* \(inferred\)/);
});

Deno.test("Without a capture, a refusal is inferred from the error of connect", async () => {
  using listener = listen();
  const { code, stderr } = await run(refusedArgs(listener.addr.port), NO_TCPDUMP);
  assertEquals(code, 1);
  assertEquals(rungsOf(stderr).length, 2);
  for (const line of rungsOf(stderr)) assertMatch(line, /\(inferred\)/);
  assertMatch(stderr, /Refused after/);
});

/** The next event with this name. */
function eventOf(eventBus: EventBus, name: OutletEvent["event"]): Promise<OutletEvent> {
  const { promise, resolve } = Promise.withResolvers<OutletEvent>();
  eventBus.subscribe((event) => event.event === name && resolve(event));
  return promise;
}

testLive("Ladders of a server's connections come from its capture", async () => {
  using listener = listen();
  const { port } = listener.addr;
  const eventBus = new EventBus();
  await using ladders = new Ladders(eventBus);
  const tracing = eventOf(eventBus, "tracing");
  await ladders.capture([port]);
  assertEquals(await tracing, { event: "tracing", ports: 1 });

  using _client = await Deno.connect({ port });
  using connection = new Connection(await listener.accept(), { id: 1 });
  const flow = await waitForFlow(
    ladders.watch!,
    ({ establishedAt }) => establishedAt !== undefined,
  );
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

testLive("A server that changes its ports captures the new ones", async () => {
  using first = listen();
  using second = listen();
  const { port } = second.addr;
  await using ladders = new Ladders(new EventBus());
  await ladders.capture([first.addr.port]);
  await ladders.capture([first.addr.port, port]);
  using _client = await Deno.connect({ port });
  using connection = new Connection(await second.accept(), { id: 1 });
  await waitForFlow(
    ladders.watch!,
    ({ establishedAt, server }) => establishedAt !== undefined && server.port === port,
  );
  assertMatch(ladders.of(connection)!.notes[0]!, /^j = \d+, k = \d+$/);
});

Deno.test("A connection that was not captured has an inferred ladder", async () => {
  using listener = listen();
  await using ladders = new Ladders(new EventBus());
  using _client = await Deno.connect({ port: listener.addr.port });
  using connection = new Connection(await listener.accept(), { id: 1 });
  const ladder = ladders.of(connection)!;
  assertEquals(ladder.rungs.every(({ label }) => label.endsWith("(inferred)")), true);
  assertEquals(ladder.diagnosis.text, "Established (inferred).");
});

testLive(
  "outlet server --trace captures its ports and ends its tcpdump",
  async () => {
    await using server = new Program(
      outlet("server", "--trace", "--service", "echo", "--port", "0", "--log-format", "json"),
    );
    await server.logs(/"event":"tracing".*"ports":1/);
    const { stdout } = await run(["ps", "-o", "args=", "--ppid", `${server.pid}`]);
    assertMatch(stdout, /tcpdump .*port \d+/);
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
    assertEquals((await run(["ps", "-o", "args=", "--ppid", `${server.pid}`])).stdout, "");
  },
);

Deno.test("outlet server --trace runs without tcpdump and reports that ladders are inferred", async () => {
  await using server = new Program(
    outlet("server", "--trace", "--service", "echo", "--port", "0"),
    NO_TCPDUMP,
  );
  await server.logs(/trace +unavailable: handshakes are inferred: .*no tcpdump/);
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).code, 0);
});

Deno.test("outlet server without --trace starts no tcpdump", async () => {
  await using server = new Program(outlet("server", "--service", "echo", "--port", "0"));
  await server.logs(/ready/);
  const { stdout } = await run(["ps", "-o", "args=", "--ppid", `${server.pid}`]);
  assertEquals(stdout, "");
});
