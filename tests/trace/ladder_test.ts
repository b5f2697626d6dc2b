import { assert, assertEquals } from "@std/assert";
import { inferLadder } from "../../src/trace/report/inferred_ladder.ts";
import { type Ladder, ladderOf } from "../../src/trace/report/ladder.ts";
import { renderLadders } from "../../src/trace/report/ladder_svg.ts";
import { renderLadder } from "../../src/trace/report/ladder_text.ts";
import { formatElapsed } from "../../src/trace/report/elapsed.ts";
import { diagnose } from "../../src/trace/report/diagnosis.ts";
import type { ListenerState } from "../../src/trace/report/listener_state.ts";
import { play, playOne } from "./play.ts";

const CONNECTION = `
  > S  seq=2775021315
  < SA seq=1796088541 ack=2775021316 at=0.02
  > A  seq=2775021316 ack=1796088542 at=0.042
  > PA seq=2775021316 ack=1796088542 len=3 at=0.138
  < A  seq=1796088542 ack=2775021319 at=0.147
  > FA seq=2775021319 ack=1796088542 at=0.163
  < FA seq=1796088542 ack=2775021320 at=0.206
  > A  seq=2775021320 ack=1796088543 at=0.225`;

Deno.test("A ladder shows sequence numbers, both ends' states and the verdict", () => {
  assertEquals(
    renderLadder(ladderOf(playOne(CONNECTION))),
    `\
1970-01-01T00:00:00.000000Z
client 0.0.0.1:40000                                           server 0.0.0.2:80
       0 SYN_SENT    │─ SYN seq=2775021315 ───────────────────────▶│ LISTEN
   20 µs SYN_SENT    │◀──── SYN+ACK seq=1796088541 ack=2775021316 ─│ SYN_RECV
   42 µs ESTABLISHED │─ ACK seq=2775021316 ack=1796088542 ────────▶│ ESTABLISHED
  138 µs ESTABLISHED │─ data 3 seq=2775021316 ack=1796088542 ─────▶│ ESTABLISHED
  147 µs ESTABLISHED │◀──────── ACK seq=1796088542 ack=2775021319 ─│ ESTABLISHED
  163 µs FIN_WAIT1   │─ FIN+ACK seq=2775021319 ack=1796088542 ────▶│ ESTABLISHED
  206 µs FIN_WAIT2   │◀──── FIN+ACK seq=1796088542 ack=2775021320 ─│ LAST_ACK
  225 µs TIME_WAIT   │─ ACK seq=2775021320 ack=1796088543 ────────▶│ CLOSED
j = 2775021315, k = 1796088541 · 3 bytes →, ← 0 bytes
Established in 42 µs; closed by the client after 225 µs.
`,
  );
});

Deno.test("A relative ladder counts from each ISN", () => {
  const ladder = ladderOf(playOne(CONNECTION), { isRelative: true });
  assertEquals(ladder.rungs.slice(0, 4).map(({ label }) => label), [
    "SYN seq=0",
    "SYN+ACK seq=0 ack=1",
    "ACK seq=1 ack=1",
    "data 3 seq=1 ack=1",
  ]);
});

Deno.test("A long connection is folded between handshake and close", () => {
  const data = Array.from({ length: 500 }, (_, i) => `> PA seq=${101 + i * 10} ack=301 len=10`);
  const flow = playOne(`
    > S  seq=100
    < SA seq=300 ack=101
    > A  seq=101 ack=301
    ${data.join("\n")}
    > FA seq=5101 ack=301
    < FA seq=301 ack=5102
    > A  seq=5102 ack=302`);
  const labels = ladderOf(flow).rungs.map(({ label }) => label);
  assertEquals(labels.slice(-4), [
    "⋮ 494 more: 4940 B →, ← 0 B",
    "FIN+ACK seq=5101 ack=301",
    "FIN+ACK seq=301 ack=5102",
    "ACK seq=5102 ack=302",
  ]);
  assertEquals(labels.length, 13);
});

Deno.test("The history of a connection is bounded", () => {
  const resets = Array.from({ length: 5000 }, () => "> R seq=4000000000");
  const { flows } = play(`> S seq=100\n${resets.join("\n")}`);
  assert(flows[0]!.history!.entries.length < 60);
});

function widest(ladder: Ladder): number {
  return Math.max(...renderLadder(ladder).split("\n").map((line) => line.length));
}

Deno.test("No line is wider than 80 columns, even with the longest numbers and addresses", () => {
  const flow = playOne(`
    > S  seq=4294967290 at=0
    > S  seq=4294967290 at=999960
    < SA seq=4294967200 ack=4294967291 at=999961
    < SA seq=4294967200 ack=4294967291 at=999962
    > A  seq=4294967291 ack=4294967201 at=999963
    < FPA seq=4294967201 ack=4294967291 len=65495 at=90000000
    < PA seq=4294967201 ack=4294967291 len=65495 at=90000001
    > R  seq=3000000000 ack=4294967201 at=4000000000`);
  const v6 = "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535";
  const ladder = ladderOf(flow);
  assert(widest(ladder) <= 80);
  assert(widest({ ...ladder, client: `client ${v6}`, server: `server ${v6}` }) <= 80);
  for (const outcome of ["established", "refused", "unanswered", "unreachable"] as const) {
    const inferred = inferLadder({ server: v6, startedAt: new Date(0), elapsed: 1e9, outcome });
    assert(widest(inferred) <= 80);
  }
});

Deno.test("Times fit their column for any timestamps", () => {
  const expected = new Map([
    [0, "0"],
    [0.0004, "0"],
    [0.9994, "999 µs"],
    [0.9999, "1.00 ms"],
    [9.996, "10.0 ms"],
    [999.96, "1.000 s"],
    [99_999.9, "100.0 s"],
    [9_999_990, "2.8 h"],
    [4e9, "46 d"],
    [1e300, "> 270 y"],
    [-5, "earlier"],
  ]);
  for (const [time, text] of expected) {
    assertEquals(formatElapsed(time), text);
    assert(text.length <= 8);
  }
});

Deno.test("Every line of an inferred ladder is labelled", () => {
  for (const outcome of ["established", "refused", "unanswered", "unreachable"] as const) {
    const ladder = inferLadder({
      client: "127.0.0.1:40000",
      server: "127.0.0.1:80",
      startedAt: new Date(0),
      elapsed: 1.5,
      outcome,
    });
    assert(ladder.rungs.length > 0);
    for (const { label } of ladder.rungs) assert(label.endsWith("(inferred)"), label);
    assert(ladder.when.includes("inferred"));
    assertEquals(ladder.diagnosis.outcome, outcome);
  }
});

Deno.test("Colour changes no character", () => {
  const ladder = ladderOf(playOne(CONNECTION));
  const colored = renderLadder(ladder, { color: true });
  // deno-lint-ignore no-control-regex
  assertEquals(colored.replaceAll(/\x1b\[\d+m/g, ""), renderLadder(ladder));
});

Deno.test("An SVG image is well-formed, escaped, and has light and dark colours", () => {
  const ladder = ladderOf(playOne(CONNECTION));
  const hostile = { ...ladder, client: `<script>"&\u0000\u001b` };
  const svg = renderLadders([ladder, hostile]);
  assert(svg.includes("prefers-color-scheme: dark"));
  assert(svg.includes("seq=2775021315"));
  assert(!svg.includes("<script>") && svg.includes("&lt;script&gt;"));
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u0008\u001b]/.test(svg));
  const tags = svg.match(/<\/?[a-z]+[^>]*>/g) ?? [];
  const open: string[] = [];
  for (const tag of tags.filter((text) => !text.endsWith("/>"))) {
    const [, closing, name = ""] = /^<(\/?)([a-z]+)/.exec(tag) ?? [];
    if (closing === "/") assertEquals(open.pop(), name);
    else open.push(name);
  }
  assertEquals(open, []);
});

Deno.test("The diagnosis of a local server includes its socket's state", () => {
  const flow = playOne("> S seq=100");
  function next(view: ListenerState): string {
    return diagnose(flow, view).next ?? "";
  }
  assertEquals(
    next({ isListening: true, queue: 5, backlog: 4, overflows: 3 }),
    "The accept queue of port 80 is full (accept queue 5 of 4, ListenOverflows +3): " +
      "its program does not accept.",
  );
  assert(next({ isListening: true, queue: 0, backlog: 4, overflows: 0 }).includes("has room"));
  assert(next({ isListening: false, queue: 0, overflows: 0 }).startsWith("Nothing listens"));
});
