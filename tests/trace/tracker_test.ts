import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Flow } from "../../src/trace/track/flow.ts";
import type { Segment } from "../../src/trace/decode/segment.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";
import { diagnose } from "../../src/trace/report/diagnosis.ts";
import { outcomeOf } from "../../src/trace/report/outcome.ts";
import { play, playOne, segmentOf, statesOf } from "./play.ts";

const HANDSHAKE = `
  > S  seq=100
  < SA seq=300 ack=101 at=1
  > A  seq=101 ack=301 at=2`;

Deno.test("SYN, SYN+ACK and ACK make both ends ESTABLISHED", () => {
  const flow = playOne(HANDSHAKE);
  assertEquals(statesOf(flow), [
    "SYN_SENT UNKNOWN",
    "SYN_SENT SYN_RECV",
    "ESTABLISHED ESTABLISHED",
  ]);
  assertEquals([flow.client.isn, flow.server.isn], [100, 300]);
  assertEquals([flow.synAckAt, flow.establishedAt], [1, 2]);
  assertEquals(outcomeOf(flow), "established");
});

Deno.test("Sequence numbers wrap inside the handshake and after it", () => {
  const flow = playOne(`
    > S  seq=4294967295
    < SA seq=4294967295 ack=0
    > A  seq=0 ack=0
    > PA seq=0 ack=0 len=5
    < A  seq=0 ack=5
    < PA seq=0 ack=5 len=3
    > FA seq=5 ack=3
    < FA seq=3 ack=6
    > A  seq=6 ack=4`);
  assertEquals([flow.client.state, flow.server.state], ["TIME_WAIT", "CLOSED"]);
  assertEquals([flow.client.bytes, flow.server.bytes], [5, 3]);
  assertEquals([flow.client.retransmissions, flow.server.retransmissions], [0, 0]);
});

Deno.test("A client that closes first goes through FIN_WAIT1 and FIN_WAIT2 to TIME_WAIT", () => {
  const flow = playOne(`${HANDSHAKE}
    > FA seq=101 ack=301
    < A  seq=301 ack=102
    < PA seq=301 ack=102 len=4
    > A  seq=102 ack=305
    < FA seq=305 ack=102
    > A  seq=102 ack=306`);
  assertEquals(statesOf(flow).slice(3), [
    "FIN_WAIT1 ESTABLISHED",
    "FIN_WAIT2 CLOSE_WAIT",
    "FIN_WAIT2 CLOSE_WAIT",
    "FIN_WAIT2 CLOSE_WAIT",
    "FIN_WAIT2 LAST_ACK",
    "TIME_WAIT CLOSED",
  ]);
  assertEquals(flow.closedBy, "client");
});

Deno.test("A server may close first, with its FIN acknowledged together with the client's", () => {
  const flow = playOne(`${HANDSHAKE}
    < FA seq=301 ack=101
    > FA seq=101 ack=302
    < A  seq=302 ack=102`);
  assertEquals(statesOf(flow).slice(3), [
    "ESTABLISHED FIN_WAIT1",
    "LAST_ACK FIN_WAIT2",
    "CLOSED TIME_WAIT",
  ]);
  assertEquals([flow.closedBy, flow.isSimultaneousClose], ["server", false]);
});

Deno.test("After a simultaneous close, both ends are in TIME_WAIT", () => {
  const flow = playOne(`${HANDSHAKE}
    > FA seq=101 ack=301
    < FA seq=301 ack=101
    > A  seq=102 ack=302
    < A  seq=302 ack=102`);
  assertEquals([flow.client.state, flow.server.state], ["TIME_WAIT", "TIME_WAIT"]);
  assertEquals(flow.isSimultaneousClose, true);
  assert(diagnose(flow).text.includes("closed by both ends at once"));
});

Deno.test("A half-closed connection is reported", () => {
  const flow = playOne(`${HANDSHAKE}
    > FA seq=101 ack=301
    < A  seq=301 ack=102`);
  assertEquals(flow.finishedAt, undefined);
  assert(diagnose(flow).text.endsWith("half-closed: the client has finished sending."));
});

Deno.test("A simultaneous open makes both ends ESTABLISHED", () => {
  const flow = playOne(`
    > S  seq=100
    < S  seq=300
    > SA seq=100 ack=301
    < SA seq=300 ack=101`);
  assertEquals(statesOf(flow), [
    "SYN_SENT UNKNOWN",
    "SYN_SENT SYN_SENT",
    "SYN_RECV SYN_SENT",
    "ESTABLISHED ESTABLISHED",
  ]);
  assertEquals(flow.isSimultaneous, true);
});

Deno.test("A socket connected to itself is established", () => {
  const { flows } = play(
    `
    > S  seq=100
    > SA seq=100 ack=101
    > A  seq=101 ack=101`,
    { client: [1, 500], server: [1, 500] },
  );
  assertEquals(flows.map(outcomeOf), ["established"]);
});

Deno.test("A RST that answers the SYN is a refusal", () => {
  const flow = playOne(`
    > S  seq=100
    < RA seq=0 ack=101 at=1`);
  assertEquals(statesOf(flow).at(-1), "CLOSED CLOSED");
  assertEquals([outcomeOf(flow), flow.closedBy], ["refused", "server"]);
});

Deno.test("A RST that acknowledges another SYN is reported as a mismatch", () => {
  for (const reset of ["< RA seq=0 ack=100", "< RA seq=0 ack=102", "< R seq=0"]) {
    const flow = playOne(`> S seq=100\n${reset}`);
    assertEquals([outcomeOf(flow), flow.client.state], ["mismatch", "SYN_SENT"]);
    assertMatch(diagnose(flow).text, /^Answered, but not this SYN: a reset came for another SYN/);
  }
});

Deno.test("A RST after the SYN+ACK is attributed to its sender", () => {
  for (const [reset, by] of [["> R seq=101", "client"], ["< R seq=301", "server"]]) {
    const flow = playOne(`
      > S  seq=100
      < SA seq=300 ack=101
      ${reset}`);
    assertEquals([outcomeOf(flow), flow.reset?.by], ["reset", by]);
    assert(diagnose(flow).text.includes(`by the ${by} after`));
  }
});

Deno.test("A RST closes an open connection only inside the window", () => {
  const open = `${HANDSHAKE}\n< A seq=301 ack=101 win=1000`;
  for (const seq of [101, 102, 1100]) {
    const flow = playOne(`${open}\n> R seq=${seq}`);
    assertEquals([flow.reset?.by, flow.client.state], ["client", "CLOSED"]);
  }
  for (const seq of [90, 100_000, 4_000_000_000]) {
    assertEquals(playOne(`${open}\n> R seq=${seq}`).reset, undefined);
  }
});

Deno.test("Unanswered SYNs are counted with their intervals", () => {
  const flow = playOne(`
    > S seq=100 at=0
    > S seq=100 at=1000
    > S seq=100 at=3000
    > S seq=100 at=7000`);
  assertEquals(outcomeOf(flow), "unanswered");
  assertEquals([flow.client.syns, flow.client.synIntervals], [4, [1000, 2000, 4000]]);
  assert(diagnose(flow).text.startsWith("No answer: the SYN was sent 4 times over 7.000 s"));
});

Deno.test("An answer to the second SYN establishes the connection", () => {
  const flow = playOne(`
    > S  seq=100 at=0
    > S  seq=100 at=1000
    < SA seq=300 ack=101 at=1001
    > A  seq=101 ack=301 at=1002`);
  assertEquals(
    diagnose(flow).text,
    "Established in 1.002 s (SYN sent 2 times); open after 1.002 s.",
  );
});

Deno.test("A SYN+ACK that is never acknowledged leaves the handshake half-open", () => {
  const flow = playOne(`
    > S  seq=100 at=0
    < SA seq=300 ack=101 at=1
    < SA seq=300 ack=101 at=1001
    < SA seq=300 ack=101 at=3001`);
  assertEquals(outcomeOf(flow), "half-open");
  assertEquals([flow.server.syns, flow.server.synIntervals], [3, [1000, 2000]]);
  assertEquals([flow.client.state, flow.server.state], ["SYN_SENT", "SYN_RECV"]);
});

Deno.test("A SYN+ACK retransmitted after its ACK is a stall", () => {
  const stalled = `${HANDSHAKE}
    < SA seq=300 ack=101 at=1002
    > A  seq=101 ack=301 at=1003
    < SA seq=300 ack=101 at=3002
    > A  seq=101 ack=301 at=3003
    > PA seq=101 ack=301 len=5 at=3500`;
  const flow = playOne(stalled);
  assertEquals(outcomeOf(flow), "stalled");
  assertEquals([flow.client.state, flow.server.state], ["ESTABLISHED", "SYN_RECV"]);
  const later = playOne(`${stalled}\n< A seq=301 ack=106 at=4000`);
  assertEquals([outcomeOf(later), later.server.state], ["established", "ESTABLISHED"]);
});

Deno.test("One ACK lost behind the capture point is no stall", () => {
  const flow = playOne(`${HANDSHAKE}
    < SA seq=300 ack=101 at=1002
    > A  seq=101 ack=301 at=1003`);
  assertEquals(statesOf(flow).slice(3), ["ESTABLISHED SYN_RECV", "ESTABLISHED ESTABLISHED"]);
  assertEquals(outcomeOf(flow), "established");
});

Deno.test("An answer to an older connection and the RST to it are stray", () => {
  const flow = playOne(`
    > S  seq=100
    < A  seq=9000 ack=8000
    > R  seq=8000
    > S  seq=100 at=1000
    < SA seq=300 ack=101 at=1001
    > A  seq=101 ack=301 at=1002`);
  assertEquals(outcomeOf(flow), "established");
  assertEquals(
    flow.history!.entries.map((line) => line.kind === "segment" ? line.analysis : ""),
    ["", "stray", "stray", "retransmission", "", ""],
  );
});

Deno.test("A SYN+ACK for another SYN establishes nothing", () => {
  const flow = playOne(`
    > S  seq=100
    < SA seq=300 ack=777
    > R  seq=777`);
  assertEquals(outcomeOf(flow), "mismatch");
});

Deno.test("Data in the SYN may be acknowledged with it", () => {
  const flow = playOne(`
    > S  seq=100 len=10
    < SA seq=300 ack=111
    > A  seq=111 ack=301`);
  assertEquals([outcomeOf(flow), flow.client.bytes], ["established", 10]);
});

Deno.test("A capture of only the client's segments proves the handshake and reports the missing part", () => {
  const flow = playOne(`
    > S  seq=100
    > A  seq=101 ack=301
    > PA seq=101 ack=301 len=5`);
  assertEquals([outcomeOf(flow), flow.server.hasIsn], ["established", false]);
  assert(diagnose(flow).text.includes("part of the handshake was not captured"));
});

Deno.test("A flow that began before the capture is partial, with unknown states", () => {
  const flow = playOne(`
    < PA seq=5000 ack=700 len=10
    > A  seq=700 ack=5010
    > FA seq=700 ack=5010
    < A  seq=5010 ack=701`);
  assertEquals(flow.isPartial, true);
  assertEquals([flow.client.state, flow.server.state], ["UNKNOWN", "UNKNOWN"]);
  assertEquals(outcomeOf(flow), "partial");
  assert(diagnose(flow).text.startsWith("Began before the capture; half-closed: 0.0.0.1:40000"));
});

Deno.test("A flow that began before the capture ends with both FINs or a RST", () => {
  const closed = playOne(`
    > FA seq=700 ack=5000
    < FA seq=5000 ack=701
    > A  seq=701 ack=5001`);
  assertEquals([closed.client.state, closed.server.state], ["TIME_WAIT", "CLOSED"]);
  const reset = playOne("< R seq=5000");
  assertEquals([reset.client.state, reset.reset?.by], ["CLOSED", "client"]);
});

Deno.test("A capture that begins with the SYN+ACK has roles but no j", () => {
  const flow = playOne(`
    < SA seq=300 ack=101
    > A  seq=101 ack=301`);
  assertEquals([flow.client.port, flow.client.hasIsn, flow.server.isn], [40_000, false, 300]);
  assertEquals(statesOf(flow), ["SYN_SENT SYN_RECV", "ESTABLISHED ESTABLISHED"]);
  assertEquals(flow.isPartial, true);
});

Deno.test("A new ISN on the same ports is another attempt", () => {
  const { flows } = play(`${HANDSHAKE}
    > S  seq=900 at=10
    < RA seq=0 ack=901 at=11
    > S  seq=950 at=12
    < SA seq=1300 ack=951 at=13
    > A  seq=951 ack=1301 at=14`);
  assertEquals(flows.map(outcomeOf), ["established", "refused", "established"]);
  assertEquals(flows.map(({ evicted }) => evicted), ["reused", undefined, undefined]);
});

Deno.test("A SYN after the end begins a new flow, and late segments change nothing", () => {
  const { flows, tracker } = play(`
    > S  seq=100
    < RA seq=0 ack=101
    < RA seq=0 ack=101
    > A  seq=101 ack=1
    > S  seq=100
    > S  seq=200`);
  assertEquals(flows.map(outcomeOf), ["refused", "unanswered", "unanswered"]);
  assertEquals([flows[0]!.late, tracker.flowCount], [2, 3]);
});

Deno.test("Keep-alives are distinguished from retransmissions", () => {
  const flow = playOne(`${HANDSHAKE}
    > PA seq=101 ack=301 len=5
    < A  seq=301 ack=106
    > A  seq=105 ack=301
    < A  seq=301 ack=106
    > A  seq=105 ack=301 len=1
    < A  seq=301 ack=106
    > PA seq=101 ack=301 len=5`);
  assertEquals([flow.client.keepAlives, flow.client.retransmissions, flow.client.bytes], [2, 1, 5]);
});

Deno.test("Retransmitted payload is counted once, however it is segmented", () => {
  const flow = playOne(`${HANDSHAKE}
    > PA seq=101 ack=301 len=10
    > PA seq=106 ack=301 len=10
    > PA seq=101 ack=301 len=15`);
  assertEquals([flow.client.bytes, flow.client.retransmissions], [15, 1]);
});

Deno.test("Segments that were not captured do not stop the tracker", () => {
  const flow = playOne(`${HANDSHAKE}
    < A  seq=301 ack=5000
    > PA seq=5000 ack=301 len=5
    > FA seq=5005 ack=301
    < FA seq=301 ack=5006
    > A  seq=5006 ack=302`);
  assertEquals([flow.client.state, flow.server.state], ["TIME_WAIT", "CLOSED"]);
});

Deno.test("A segment captured on two interfaces counts once", () => {
  const flows: Flow[] = [];
  const tracker = new Tracker({ onFlow: (flow) => flows.push(flow) });
  for (const line of HANDSHAKE.trim().split("\n")) {
    for (const device of [2, 5]) tracker.track(segmentOf(`${line} id=7`, { device }), "tcp");
  }
  tracker.finish();
  const [flow] = flows;
  assertEquals([tracker.duplicates, flow!.client.segments, flow!.client.syns], [3, 2, 1]);
});

function unreachable(code: number): Segment {
  const segment = segmentOf("> S seq=100 at=2");
  segment.icmpType = 3;
  segment.icmpCode = code;
  segment.icmpSource.set([0, 0, 0xffff, 9]);
  return segment;
}

Deno.test("An ICMP error about the SYN is reported with its source", () => {
  const flows: Flow[] = [];
  const tracker = new Tracker({ onFlow: (flow) => flows.push(flow) });
  tracker.track(segmentOf("> S seq=100"), "tcp");
  tracker.track(unreachable(1), "icmp");
  tracker.finish();
  assertEquals(outcomeOf(flows[0]!), "unreachable");
  assertEquals(diagnose(flows[0]!).text, "Unreachable: 0.0.0.9 reports host unreachable.");
});

Deno.test("An ICMP error about an unknown segment creates no flow", () => {
  const tracker = new Tracker();
  tracker.track(unreachable(3), "icmp");
  assertEquals([tracker.flowCount, [...tracker.flows()].length], [0, 0]);
});

Deno.test("An attempt is reported once its next SYN is overdue", () => {
  const flows: Flow[] = [];
  const tracker = new Tracker({ onFlow: (flow) => flows.push(flow) });
  tracker.track(segmentOf("> S seq=100 at=0"), "tcp");
  tracker.track(segmentOf("> S seq=100 at=4000"), "tcp");
  tracker.reportOverdue(12_900);
  assertEquals(flows.length, 0);
  tracker.reportOverdue(14_000);
  assertEquals(flows.map(outcomeOf), ["unanswered"]);
  tracker.finish();
  assertEquals(flows.length, 1);
});

Deno.test("The oldest finished flow is evicted first, then the oldest open one", () => {
  const flows: Flow[] = [];
  const tracker = new Tracker({ limit: 3, onFlow: (flow) => flows.push(flow) });
  function syn(port: number): void {
    tracker.track(segmentOf("> S seq=100", { client: [1, port] }), "tcp");
  }
  for (const port of [1, 2, 3]) syn(port);
  tracker.track(segmentOf("< RA seq=0 ack=101", { client: [1, 2] }), "tcp");
  syn(4);
  assertEquals([[...tracker.flows()].length, tracker.expired, tracker.evicted], [3, 1, 0]);
  syn(5);
  assertEquals([[...tracker.flows()].length, tracker.expired, tracker.evicted], [3, 1, 1]);
  assertEquals(flows.map(({ client, evicted }) => [client.port, evicted]), [
    [2, undefined],
    [1, "full"],
  ]);
  tracker.finish();
  assertEquals(flows.map(({ client }) => client.port), [2, 1, 3, 4, 5]);
});

Deno.test("A handshake captured out of order is the same", () => {
  const lines = ["> S seq=100", "< SA seq=300 ack=101", "> A seq=101 ack=301"];
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0]];
  for (const order of orders) {
    const script = order.map((index, at) => `${lines[index]} at=${at / 10}`).join("\n");
    const flow = playOne(`${script}\n> PA seq=101 ack=301 len=5 at=5\n< A seq=301 ack=106 at=6`);
    assertEquals([flow.client.isn, flow.server.isn], [100, 300], script);
    assertEquals([outcomeOf(flow), flow.client.bytes, flow.client.retransmissions], [
      "established",
      5,
      0,
    ]);
    assertEquals(flow.isReordered, order.join() !== "0,1,2");
  }
});

Deno.test("A RST after which both ends continue had no effect", () => {
  const flow = playOne(`${HANDSHAKE}
    > PA seq=101 ack=301 len=5
    < A  seq=301 ack=106
    < R  seq=301
    > PA seq=106 ack=301 len=5
    < A  seq=301 ack=111
    > FA seq=111 ack=301
    < FA seq=301 ack=112
    > A  seq=112 ack=302`);
  assertEquals([outcomeOf(flow), flow.reset, flow.closedBy], ["established", undefined, "client"]);
  assertMatch(diagnose(flow).text, /continued after a reset, which was forged or lost/);
});

Deno.test("A forged SYN does not end the open connection", () => {
  // RFC 5961, 4: the server answers a SYN on an open connection with a challenge ACK.
  const { flows } = play(`${HANDSHAKE}
    > S  seq=77777
    < A  seq=301 ack=101
    > PA seq=101 ack=301 len=5
    < A  seq=301 ack=106
    > FA seq=106 ack=301
    < FA seq=301 ack=107
    > A  seq=107 ack=302`);
  const [first, forged] = flows.toSorted((a, b) => a.number - b.number);
  assertEquals([first!.client.bytes, first!.closedBy, first!.evicted], [5, "client", undefined]);
  assertEquals([outcomeOf(forged!), forged!.strayAnswers], ["mismatch", 1]);
});

Deno.test("A RST with another TTL is attributed to another machine, as inferred", () => {
  const { flows } = play(`
    > S  seq=100 ttl=64
    < SA seq=300 ack=101 ttl=57
    > A  seq=101 ack=301
    < R  seq=301 ttl=61
    > S  seq=900
    < RA seq=0 ack=901 win=0 ttl=61`);
  assertMatch(diagnose(flows[0]!).text, /TTL of 61 and not 57 as its others.*\(inferred\)/);
  assertMatch(diagnose(flows[1]!).next!, /TTL of 61, the host's other segments have 57.*inferred/);
  const own = play("> S seq=1\n< RA seq=0 ack=2 win=0").flows[0]!;
  assertEquals(
    diagnose(own).next,
    "Nothing listens on port 80, or a firewall rejects with a TCP reset; see there: ss -ltn",
  );
});

Deno.test("A stall of unknown cause lists the possible causes", () => {
  const unanswered = playOne(`${HANDSHAKE}
    > PA seq=101 ack=301 len=5 at=10
    > PA seq=101 ack=301 len=5 at=300
    > PA seq=101 ack=301 len=5 at=900`);
  assertEquals(outcomeOf(unanswered), "stalled");
  assertMatch(diagnose(unanswered).text, /has sent nothing since its SYN\+ACK.*2 segments\./);
  assertMatch(diagnose(unanswered).next!, /SYN cookie.*cannot be known from here/);
  const repeated = playOne(`${HANDSHAKE}
    < SA seq=300 ack=101 at=1002
    > A  seq=101 ack=301 at=1003
    < SA seq=300 ack=101 at=3002`);
  assertMatch(diagnose(repeated).next!, /TCP_DEFER_ACCEPT.*cannot be known from here/);
});

Deno.test("A client that retransmits its SYN is not diagnosed as having a forged address", () => {
  const repeats = playOne(`
    > S  seq=100 at=0
    < SA seq=300 ack=101 at=1
    > S  seq=100 at=1000
    < SA seq=300 ack=101 at=1001`);
  assertMatch(diagnose(repeats).next!, /its address is not forged/);
  const once = playOne("> S seq=100 at=0\n< SA seq=300 ack=101 at=1");
  assertMatch(diagnose(once).next!, /or the SYN's source address was forged/);
});

Deno.test("After both FINs, a connection is closed even without the last ACK", () => {
  const flow = playOne(`${HANDSHAKE}
    > FA seq=101 ack=301 at=3
    < FA seq=301 ack=102 at=4`);
  assertMatch(
    diagnose(flow).text,
    /; closed by the client after .* \(its last ACK was not captured\)\.$/,
  );
});

Deno.test("A SYN flood evicts its own flows only", () => {
  const flows: Flow[] = [];
  const tracker = new Tracker({ limit: 50, onFlow: (flow) => flows.push(flow) });
  for (const line of HANDSHAKE.trim().split("\n")) tracker.track(segmentOf(line), "tcp");
  for (let port = 1; port <= 1000; port += 1) {
    tracker.track(segmentOf("> S seq=5", { client: [9, port] }), "tcp");
    assert([...tracker.flows()].length <= 50);
  }
  tracker.track(segmentOf("> PA seq=101 ack=301 len=5"), "tcp");
  tracker.finish();
  const [retained] = flows.filter(({ client }) => client.port === 40_000);
  assertEquals([retained!.client.bytes, retained!.evicted, tracker.evicted], [5, undefined, 951]);
  assertMatch(diagnose(flows[0]!).text, /^No answer: .* before it was evicted\.$/);
});
