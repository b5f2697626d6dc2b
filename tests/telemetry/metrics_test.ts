import { assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { LoopDelay } from "../../src/scheduling/loop_delay.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { serveMetrics } from "../../src/telemetry/metrics_page.ts";

const ABOUT = { id: 1, outlet: "echo", address: { hostname: "127.0.0.1", port: 7 } };
const PEER = { hostname: "127.0.0.1", port: 50_000 };
const LABELS = 'outlet="echo",address="127.0.0.1:7"';

Deno.test("events are counted, and bytes of open connections are included", async () => {
  const eventBus = new EventBus();
  using metrics = new Metrics(eventBus);
  metrics.live = () => [{
    outlet: { id: 1, name: "echo", address: ABOUT.address },
    connection: { bytesIn: 5, bytesOut: 7 },
  }];
  eventBus.publish({ event: "listening", ...ABOUT });
  eventBus.publish({ event: "opened", ...ABOUT, connection: 1, peer: PEER, local: PEER });
  eventBus.publish({ event: "opened", ...ABOUT, connection: 2, peer: PEER, local: PEER });
  eventBus.publish({ event: "refused", ...ABOUT, peer: PEER, reason: "connection limit reached" });
  eventBus.publish({ event: "failed", ...ABOUT, code: "EMFILE", reason: "…" });
  const end = { bytesIn: 100, bytesOut: 2000, duration: 2500, reason: "error: anything at all" };
  eventBus.publish({ event: "closed", ...ABOUT, connection: 1, peer: PEER, ...end });
  const text = await metrics.text();
  for (
    const line of [
      `outlet_connections_opened_total{${LABELS}} 2`,
      `outlet_connections_open{${LABELS}} 1`,
      `outlet_connections_refused_total{${LABELS},reason="connection limit reached"} 1`,
      `outlet_connections_closed_total{${LABELS},reason="error"} 1`,
      `outlet_accept_errors_total{${LABELS},code="EMFILE"} 1`,
      `outlet_bytes_total{${LABELS},direction="in"} 105`,
      `outlet_bytes_total{${LABELS},direction="out"} 2007`,
      `outlet_connection_duration_seconds_sum{${LABELS}} 2.5`,
      `outlet_connection_bytes_bucket{le="1024",${LABELS},direction="in"} 1`,
      `outlet_connection_bytes_bucket{le="1024",${LABELS},direction="out"} 0`,
    ]
  ) {
    assertEquals(text.split("\n").includes(line), true, `${line} is not in\n${text}`);
  }
});

Deno.test("unexpected errors, failed tasks and the event loop's delay have metrics", async () => {
  const eventBus = new EventBus();
  using metrics = new Metrics(eventBus);
  const loop = new LoopDelay();
  metrics.watchLoop(loop);
  eventBus.publish({ event: "unexpected-error", stack: ["Error: oh"] });
  const failed = { task: "a task", reason: "oh", consequence: "all goes on" };
  eventBus.publish({ event: "task-failed", ...failed });
  const isMeasured = () => loop.memory.slice(1).some((value) => value > 0n);
  while (!isMeasured()) await delay(5);
  const text = await metrics.text();
  assertMatch(text, /^outlet_unexpected_errors_total 1$/m);
  assertMatch(text, /^outlet_task_failures_total 1$/m);
  assertMatch(text, /^outlet_event_loop_delay_seconds_bucket\{le="\+Inf"\} [1-9]/m);
  assertMatch(text, /^outlet_event_loop_delay_longest_seconds \d/m);
  assertMatch(text, /^outlet_console_streams_dropped_total \d/m);
});

Deno.test("reasons made up by peers do not grow the labels without bound", async () => {
  const eventBus = new EventBus();
  using metrics = new Metrics(eventBus);
  for (let i = 0; i < 1000; i++) {
    eventBus.publish({ event: "refused", ...ABOUT, peer: PEER, reason: `reason ${i}` });
  }
  const lines = (await metrics.text()).split("\n").filter((line) => /refused_total{/.test(line));
  assertEquals(lines.length, 33);
  assertMatch(lines.at(-1)!, /reason="other"} 968$/);
});

Deno.test("the text of a thousand outlets is generated in turns of the event loop", async () => {
  const eventBus = new EventBus();
  using metrics = new Metrics(eventBus);
  for (let port = 1; port <= 1_000; port++) {
    const about = { id: port, outlet: "echo", address: { hostname: "127.0.0.1", port } };
    eventBus.publish({ event: "listening", ...about });
    eventBus.publish({ event: "opened", ...about, connection: port, peer: PEER, local: PEER });
    const end = { bytesIn: 1, bytesOut: 1, duration: 1, reason: "peer closed" } as const;
    eventBus.publish({ event: "closed", ...about, connection: port, peer: PEER, ...end });
  }
  let turns = 0;
  const turn = () => {
    turns++;
    timer = setTimeout(turn);
  };
  let timer = setTimeout(turn);
  const pieces = await Array.fromAsync(metrics.pieces());
  clearTimeout(timer);
  const lines = pieces.join("").split("\n").length;
  assertEquals(lines > 30_000, true);
  // A turn generates at most a thousand lines.
  assertEquals(turns > lines / 1_100, true, `${lines} lines in ${turns} turns`);
  assertEquals(Math.max(...pieces.slice(0, 20).map(({ length }) => length)) < 40_000, true);
});

Deno.test("the page serves metrics and health, and nothing else", async () => {
  const eventBus = new EventBus();
  using metrics = new Metrics(eventBus);
  await using page = serveMetrics({ hostname: "127.0.0.1", port: 0 }, metrics);
  const get = async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${page.address.port}${path}`, { method });
    return [response.status, await response.text()] as const;
  };
  assertMatch((await get("/metrics"))[1], /^# HELP outlet_connections_opened_total /);
  assertEquals(await get("/healthz"), [503, "starting\n"]);
  eventBus.publish({ event: "ready", outlets: 1, maxConnections: 1, descriptors: 1 });
  assertEquals(await get("/healthz"), [200, "ok\n"]);
  assertEquals((await get("/"))[0], 404);
  assertEquals((await get("/metrics", "POST"))[0], 405);
  eventBus.publish({ event: "draining", connections: 0, timeout: 0 });
  assertEquals(await get("/healthz"), [503, "draining\n"]);
});

Deno.test("the accept queue's length is a metric of its outlet", async () => {
  for (const hostname of ["127.0.0.1", "::"]) {
    const eventBus = new EventBus();
    using metrics = new Metrics(eventBus);
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    eventBus.publish({ event: "listening", id: 1, outlet: "echo", address: { hostname, port } });
    using _one = await Deno.connect({ hostname: "127.0.0.1", port });
    using _two = await Deno.connect({ hostname: "127.0.0.1", port });
    assertMatch(await metrics.text(), /outlet_accept_queue_length{outlet="echo",.*} 2\n/);
  }
});
