import { assertMatch } from "@std/assert";
import { outlet, Program, run } from "../harness/program.ts";
import { LiveTrace, traceArgs } from "./live_trace.ts";
import { TwoMachines } from "./namespaces.ts";
import { testInNamespaces } from "./watch.ts";

const PORT = 7777;

/** A program that listens and never accepts. */
function listenOnly(backlog: number): string[] {
  const script = `Deno.listen({ port: ${PORT}, tcpBacklog: ${backlog} });` +
    `console.log("listening"); setInterval(() => {}, 1000);`;
  return [Deno.execPath(), "eval", "--quiet", script];
}

function connectTo(address: string): string[] {
  return outlet("client", "--probe", "-w", "30s", address, `${PORT}`);
}

testInNamespaces(
  "Dropped SYNs are shown as unanswered until one is answered",
  async () => {
    await using machines = await TwoMachines.make();
    await using listener = new Program(machines.onServer(...listenOnly(16)));
    await listener.prints(/listening/);
    await machines.dropAnswers();
    await using trace = await LiveTrace.start(machines.onServer(...traceArgs(PORT)));
    await using client = new Program(machines.onClient(...connectTo(machines.serverAddress)));
    await trace.prints(/SYN 2, no answer for 1\.\d+ s/);
    await machines.letAnswersPass();
    await trace.prints(/Established in .*SYN sent \d times/);
    await client.outcome();
    const shown = await trace.ended();
    assertMatch(shown, /↻ SYN seq=\d+/);
    assertMatch(shown, /ESTABLISHED │─ ACK seq=\d+ ack=\d+ ─+▶│ ESTABLISHED/);
  },
);

testInNamespaces(
  "An unanswered attempt is reported with what to check",
  async () => {
    await using machines = await TwoMachines.make();
    await machines.dropAnswers();
    await using trace = await LiveTrace.start(machines.onServer(...traceArgs(PORT)));
    await using _client = new Program(machines.onClient(...connectTo(machines.serverAddress)));
    await trace.prints(/SYN 2, no answer/);
    const shown = await trace.ended();
    assertMatch(
      shown,
      /No answer: the SYN was sent \d times over \d\.\d+ s before the capture ended/,
    );
    // The server is on this machine, so the kernel is asked.
    assertMatch(shown, /Nothing listens on port 7777 of this machine: a firewall drops the SYN/);
  },
);

testInNamespaces("A lost SYN+ACK leaves the handshake half-open", async () => {
  await using machines = await TwoMachines.make();
  await using listener = new Program(machines.onServer(...listenOnly(16)));
  await listener.prints(/listening/);
  await machines.dropArrivals();
  await using trace = await LiveTrace.start(machines.onServer(...traceArgs(PORT)));
  await using _client = new Program(machines.onClient(...connectTo(machines.serverAddress)));
  await trace.prints(/SYN\+ACK 2, not acknowledged/);
  const sockets = await run(machines.onServer(...outlet("trace", "--sockets", `${PORT}`)));
  assertMatch(sockets.stdout, /SYN_RECV .*10\.77\.0\.1.*the client has not acknowledged/);
  const shown = await trace.ended();
  assertMatch(shown, /SYN_SENT +│◀─+ ↻ SYN\+ACK seq=\d+ ack=\d+ ─│ SYN_RECV/);
  assertMatch(shown, /Half-open: the SYN\+ACK was sent \d times/);
});

testInNamespaces("A network without a route is reported by the router's ICMP error", async () => {
  await using machines = await TwoMachines.make();
  await machines.routeToNowhere("10.88.0.0/24");
  await using trace = await LiveTrace.start(machines.onClient(...traceArgs(PORT)));
  await using _client = new Program(machines.onClient(...connectTo("10.88.0.9")));
  await trace.prints(/Unreachable: 10\.77\.0\.2 reports host unreachable/);
  assertMatch(await trace.ended(), /│ ICMP: host unreachable +│/);
});

testInNamespaces(
  "A server that drops ACKs is reported as stalled, as the kernel confirms",
  async () => {
    await using machines = await TwoMachines.make();
    await using listener = new Program(machines.onServer(...listenOnly(4)));
    await listener.prints(/listening/);
    // A backlog of 4 admits five: four connect, and four more begin before any completes.
    await using first = new Program(machines.onClient(...connectFourTimes(machines)));
    await first.prints(/(connected[^]*){4}/);
    await machines.dropArrivals();
    await using trace = await LiveTrace.start(machines.onServer(...traceArgs(PORT)));
    await using _second = new Program(machines.onClient(...connectFourTimes(machines)));
    await trace.prints(/(SYN\+ACK 2, not acknowledged[^]*){4}/);
    await machines.letArrivalsPass();
    await trace.prints(/^(\S+) → \S+ +SYN\+ACK \d, though [^]*^\1 → \S+ +SYN\+ACK \d, though/m);
    const sockets = await run(machines.onServer(...outlet("trace", "--sockets", `${PORT}`)));
    const shown = await trace.ended();
    assertMatch(sockets.stdout, /SYN_RECV/);
    assertMatch(shown, /Stalled: acknowledged, yet the server sent its SYN\+ACK \d times/);
    assertMatch(shown, /The accept queue of port 7777 is full \(accept queue [5-8] of 4/);
  },
);

function connectFourTimes({ serverAddress }: TwoMachines): string[] {
  const target = `{ hostname: "${serverAddress}", port: ${PORT} }`;
  const script = `for (let i = 0; i < 4; i++) Deno.connect(${target})` +
    `.then(() => console.log("connected")); setInterval(() => {}, 1000);`;
  return [Deno.execPath(), "eval", "--quiet", script];
}
