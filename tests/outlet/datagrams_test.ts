/** Outlets for datagrams: sessions, limits, what is dropped, and what is told of it. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { eventText } from "../../src/telemetry/event_text.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { SERVICES } from "../../src/services/registry.ts";
import { UdpClient } from "../harness/datagrams.ts";
import { freePort } from "../harness/ports.ts";
import { CRASHING_WORKER, TestSupervisor } from "../harness/supervisor.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";

Deno.test("each client address has a session, and is answered by itself", async () => {
  await using server = await TestServer.open("echo+udp://:0");
  using one = new UdpClient(server.port());
  using other = new UdpClient(server.port());
  assertEquals(await one.ask("one"), "one");
  assertEquals(await other.ask("other"), "other");
  assertEquals(await one.ask("again"), "again");
  const sessions = [...server.server.connections()].map(({ connection }) => connection);
  assertEquals(
    sessions.map(({ datagramsIn, datagramsOut, bytesIn }) => [
      datagramsIn,
      datagramsOut,
      bytesIn,
    ]),
    [[2, 2, 8], [1, 1, 5]],
  );
});

Deno.test("a datagram without a byte is answered with one", async () => {
  await using server = await TestServer.open("echo+udp://:0");
  using client = new UdpClient(server.port());
  assertEquals(await client.ask(""), "");
});

Deno.test("a session ends when it is idle, and tells its datagrams and bytes", async () => {
  await using server = await TestServer.open("echo+udp://:0?idle-timeout=100ms");
  using client = new UdpClient(server.port());
  await client.ask("hello");
  const closed = await server.event("closed");
  assertEquals(closed.reason, "idle");
  assertMatch(
    eventText(closed),
    /^session #\d+ from 127.0.0.1:\d+: idle, 1 datagram \(5 B\) in, 1 datagram \(5 B\) out, /,
  );
  assertEquals([...server.server.connections()], []);
  assertEquals(await client.ask("a new session"), "a new session");
});

Deno.test("empty datagrams keep a session open", async () => {
  await using server = await TestServer.open("echo+udp://:0?idle-timeout=5s");
  using client = new UdpClient(server.port());
  await client.ask("");
  const ids = () => [...server.server.connections()].map(({ connection }) => connection.id);
  const before = ids();
  for (let round = 0; round < 20; round++) await client.ask("");
  assertEquals(ids(), before);
});

Deno.test("TCP and UDP share a port number", async () => {
  const port = freePort();
  await using server = await TestServer.open(`echo://:${port}`, `echo+udp://:${port}`);
  using client = new UdpClient(port);
  assertEquals(await client.ask("datagram"), "datagram");
  using stream = await server.connect();
  await stream.write(new TextEncoder().encode("stream"));
  const buffer = new Uint8Array(6);
  assertEquals(await stream.read(buffer), 6);
});

Deno.test("a datagram that is longer than max-datagram is dropped and counted; one as long is not", async () => {
  await using server = await TestServer.open("echo+udp://:0?max-datagram=100");
  using client = new UdpClient(server.port());
  await client.send(new Uint8Array(101));
  await client.send(new Uint8Array(50_000));
  assertEquals((await client.ask(new Uint8Array(100))).length, 100);
  const dropped = await server.event("dropped");
  assertEquals([dropped.reason, dropped.datagrams], ["longer than max-datagram", 2]);
});

Deno.test("a source that sends more datagrams a second than it may is not answered beyond that", async () => {
  await using server = await TestServer.open("echo+udp://:0?datagram-rate=5");
  using client = new UdpClient(server.port());
  for (let sent = 0; sent < 50; sent++) await client.send("flood");
  const dropped = await server.event("dropped");
  assertEquals(dropped.reason, "rate limit exceeded");
  assert(dropped.datagrams >= 30, String(dropped.datagrams));
  assertEquals(await client.ask("in a later second"), "flood");
});

Deno.test("on loopback there is no limit of the rate by default", async () => {
  await using server = await TestServer.open("echo+udp://:0");
  using client = new UdpClient(server.port());
  for (let sent = 0; sent < 3_000; sent++) assertEquals(await client.ask("x"), "x");
  assertEquals(server.events.filter(({ event }) => event === "dropped"), []);
});

Deno.test("rules and limits hold for sessions as for connections", async () => {
  await using server = await TestServer.open(
    "echo+udp://:0?deny=127.0.0.1",
    "echo+udp://:0?max-connections=1",
    "echo+udp://:0?max-per-ip=1",
  );
  const reasons = ["denied by rule", "connection limit reached", "per-address limit reached"];
  for (const [index, reason] of reasons.entries()) {
    using first = new UdpClient(server.port(index));
    using second = new UdpClient(server.port(index));
    if (index > 0) await first.ask("first");
    await second.send("second");
    const refused = await server.event("refused", (event) => event.reason === reason);
    assertEquals(refused.datagrams, 1);
  }
});

for (const port of [7, 13, 17, 19, 37]) {
  Deno.test(`a datagram from port ${port} is never answered: its sender may be such a service itself`, async () => {
    await using server = await TestServer.open("echo+udp://:0", "discard+udp://:0");
    let small: UdpClient;
    try {
      small = new UdpClient(server.port(), { from: port });
    } catch (error) {
      // Another program has the port, or only root may.
      if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) {
        return;
      }
      throw error;
    }
    using _small = small;
    await small.send("to and fro");
    const dropped = await server.event("dropped");
    assertEquals(dropped.reason, "from the port of another small service");
    assertEquals([...server.server.connections()], []);
  });
}

Deno.test("what the kernel drops because a receive buffer is full is counted", async () => {
  await using server = await TestServer.open("echo+udp://:0?max-datagram=60000");
  using client = new UdpClient(server.port());
  // Nothing is received until this turn of the event loop ends.
  const burst = Array.from({ length: 400 }, () => client.send(new Uint8Array(50_000)));
  await Promise.all(burst);
  const dropped = await server.event("dropped", ({ reason }) => reason === "receive buffer full");
  assert(dropped.datagrams > 0);
});

Deno.test("metrics count sessions, bytes, datagrams and drops", async () => {
  const eventBus = new EventBus();
  using metrics = new Metrics(eventBus);
  await using server = await TestServer.openWith(eventBus, ["echo+udp://:0?max-datagram=10"]);
  metrics.live = () => server.server.connections();
  using client = new UdpClient(server.port());
  await client.send("longer than ten");
  await client.ask("hello");
  await server.event("dropped");
  const text = await metrics.text();
  const about = `outlet="echo",address="udp://127.0.0.1:${server.port()}"`;
  for (
    const line of [
      `outlet_connections_open{${about}} 1`,
      `outlet_bytes_total{${about},direction="in"} 5`,
      `outlet_datagrams_total{${about},direction="in"} 1`,
      `outlet_datagrams_total{${about},direction="out"} 1`,
      `outlet_datagrams_dropped_total{${about},reason="longer than max-datagram"} 1`,
    ]
  ) assert(text.includes(line), `${line} is not in:\n${text}`);
});

Deno.test("a capture has the datagrams of both directions", async () => {
  await using directory = await TemporaryDirectory.make();
  {
    await using server = await TestServer.open(`echo+udp://:0?capture=${directory.path}`);
    using client = new UdpClient(server.port());
    await client.ask("to be captured");
  }
  const [file] = await Array.fromAsync(Deno.readDir(directory.path));
  const dump = await Deno.readTextFile(`${directory.path}/${file!.name}`);
  assertMatch(dump, /^< .*\|to be captured\|\n> .*\|to be captured\|\n$/);
});

Deno.test("a handler that fails closes its session, and no other", async () => {
  await using directory = await TemporaryDirectory.make();
  await using server = await TestServer.open(`record+udp://:0?dir=${directory.path}/gone`).catch(
    async (error) => {
      // The directory is looked for at the start.
      assertMatch(String(error), /gone/);
      return await TestServer.open(`record+udp://:0?dir=${directory.path}`);
    },
  );
  using client = new UdpClient(server.port());
  await client.send("nowhere to go");
  const closed = await server.event("closed");
  assertMatch(closed.reason, /^error: cannot record to /);
  await server.event("failed");
});

Deno.test("a reload gives an address to another service without closing the socket", async () => {
  const port = freePort();
  await using server = await TestServer.open(`echo+udp://:${port}`);
  using client = new UdpClient(port);
  assertEquals(await client.ask("echo"), "echo");
  await server.server.change(configOf([`daytime+udp://:${port}`]));
  assertMatch(await client.ask("time?"), /GMT/);
  await server.event("closed", ({ reason }) => reason === "server closed");
});

Deno.test("settings change at run time for new sessions", async () => {
  const port = freePort();
  await using server = await TestServer.open(`echo+udp://:${port}?max-datagram=10`);
  await server.server.change(configOf([`echo+udp://:${port}?max-datagram=3000`]));
  using client = new UdpClient(port);
  await client.ask("hello");
  assertEquals((await client.ask(new Uint8Array(2_500))).length, 2_500);
});

Deno.test("an address that another program has is refused in words", async () => {
  using taken = new UdpClient(9);
  const word = `echo+udp://:${taken.port}`;
  const error = await TestServer.open(word).then(() => undefined, (error) => error);
  assertMatch(
    String(error),
    /cannot listen on udp:\/\/127.0.0.1:\d+: address already in use; stop/,
  );
});

Deno.test("a stop closes all sessions and gives nobody a grace", async () => {
  await using server = await TestServer.open("echo+udp://:0");
  using client = new UdpClient(server.port());
  await client.ask("hello");
  await server.server.stop({ grace: 60_000 });
  assertEquals((await server.event("closed")).reason, "server closed");
  assertEquals((await server.event("stopped")).aborted, 0);
});

Deno.test("one worker owns a UDP outlet, and its replacement binds it", async () => {
  const port = freePort();
  await using supervisor = await TestSupervisor.open([`echo+udp://:${port}`, "echo://:0"], {
    module: CRASHING_WORKER,
  });
  using client = new UdpClient(port);
  for (let asked = 0; asked < 20; asked++) await client.ask("hello");
  await supervisor.until(() => supervisor.count("opened") === 1);
  const [session] = [...supervisor.supervisor.connections()];
  session!.connection.write(new TextEncoder().encode("die")).catch(() => {});
  await supervisor.until(() => supervisor.count("worker-restarted") === 1);
  // Datagrams are lost until the replacement has bound the address.
  using next = new UdpClient(port);
  const asking = setInterval(() => next.send("again").catch(() => {}), 50);
  try {
    assertEquals(new TextDecoder().decode(await next.receive()), "again");
  } finally {
    clearInterval(asking);
  }
});

Deno.test("a planned replacement of the workers takes a UDP address over", async () => {
  const port = freePort();
  await using supervisor = await TestSupervisor.open([`echo+udp://:${port}`]);
  using client = new UdpClient(port);
  assertEquals(await client.ask("before"), "before");
  await supervisor.supervisor.restart({ grace: 0 });
  assertEquals(await client.ask("after"), "after");
});

for (const service of SERVICES.values()) {
  const options: Record<string, string> = { forward: "?to=127.0.0.1:9", record: "?file=/dev/null" };
  const word = `${service.name}+udp://:0${options[service.name] ?? ""}`;
  const { datagram } = service;
  if ("refused" in datagram) {
    Deno.test(`${service.name} is refused over UDP, and it says why`, () => {
      const error = assertThrows(() => configOf([word]), UsageError);
      assert(error.message.includes(datagram.refused), error.message);
    });
  } else if (datagram.answers === "more") {
    Deno.test(`${service.name} over UDP is refused beyond loopback without amplify`, () => {
      for (const host of ["0.0.0.0", "[::]", "192.0.2.1"]) {
        const open = `${service.name}+udp://${host}:0`;
        const error = assertThrows(() => configOf([open]), UsageError);
        assertMatch(error.message, /may be forged.*amplify/);
        configOf([`${open}?amplify`]);
      }
      configOf([word]);
    });
  } else {
    Deno.test(`${service.name} over UDP is allowed beyond loopback`, () => {
      configOf([word.replace("://:", "://0.0.0.0:")]);
    });
  }
}

const REFUSED: Readonly<Record<string, RegExp>> = {
  "echo+udp://:0?tls&tls-self-signed": /TLS over UDP \(DTLS\) is not supported/,
  "echo+tls+udp://:0": /TLS over UDP \(DTLS\) is not supported/,
  "echo+udp+tls://:0": /TLS over UDP \(DTLS\) is not supported/,
  "echo+ws+udp://:0": /WebSocket needs a stream, and UDP has datagrams/,
  "echo+udp://:0?ws": /ws has no effect over UDP.*: WebSocket needs a stream/,
  "echo+udp://:0?text": /text has no effect over UDP.*: WebSocket needs a stream/,
  "echo+sctp://:0": /unknown transport "sctp"/,
  "echo+udp://:0?backlog=5": /there is no accept queue/,
  "echo+udp://:0?when-full=defer": /datagrams of new clients are dropped/,
  "echo+udp://:0?accept-proxy": /PROXY headers of datagrams are only sent/,
  "echo+udp://:0?once": /once has no effect over UDP.*: a session has no end/,
  "echo+udp://:0?crlf": /crlf has no effect over UDP.*: datagrams are sent as they are/,
  "broker+udp://:0": /broker over UDP: a sender's address may be forged/,
  "stdio+udp://:0?eof=close": /eof has no effect over UDP.*: a session ends when it is idle/,
  "stdio+udp://:0?quit-delay=1s": /quit-delay has no effect over UDP/,
  "stdio+udp://:0?send-only": /send-only has no effect over UDP/,
  "stdio+udp://:0?json": /json would be mixed with the data of stdio on stdout/,
  "echo://:0?amplify": /amplify is only for UDP/,
  "echo://:0?max-datagram=9": /max-datagram is only for UDP/,
  "forward+udp://:0?to=unix:/tmp/x": /to UDP only/,
  "forward+udp://:0?to=tls://127.0.0.1:9": /to UDP only/,
  "forward+udp://:0?to=ws://127.0.0.1:9": /to UDP only/,
  "forward+udp://:0?to=127.0.0.1:9&to-tls-ca=ca.pem": /to-tls-ca has no effect over UDP.*DTLS/,
  "forward+udp://:0?to=127.0.0.1:9&to-starttls=smtp": /to-starttls has no effect over UDP.*DTLS/,
  "forward+udp://:0?to=127.0.0.1:9&to-keep-alive-idle=5s": /to-keep-alive-idle .*: there is no con/,
  "forward+udp://:0?to=127.0.0.1:9&keep-alive-idle=5s":
    /keep-alive-idle .*: there is no connection/,
  "forward+udp://:0?sni=a.test=127.0.0.1:9": /sni has no effect over UDP.*first bytes of a stream/,
  "forward+udp://:0?route=ssh=127.0.0.1:9": /route has no effect over UDP.*first bytes of a stream/,
  "forward+udp://:0?to=127.0.0.1:9&inspect-timeout=3s": /inspect-timeout has no effect over UDP/,
  "forward://:0?route=ssh=udp://127.0.0.1:9": /route ".*udp:.*": only streams are routed/,
  "forward://:0?sni=a.test=udp://127.0.0.1:9": /sni ".*udp:.*": only streams are routed/,
  "forward://:0?sni=a.test=h:1&sni-default=udp://h:2":
    /sni-default ".*udp:.*": only streams are routed/,
  "forward+udp://:0?to=127.0.0.1:9&source=::1": /source: 127.0.0.1 is no IPv6 address/,
  "forward+udp://:0?to=127.0.0.1:9&balance=source": /balance needs several upstreams/,
  "forward+udp://:0?to=127.0.0.1:9&send-proxy=v1": /use v2/,
  "forward+udp://:0?to=127.0.0.1:9&check=5s": /connects to nothing/,
  "forward://:0?to=udp://127.0.0.1:9": /cannot reach udp:\/\/127.0.0.1:9/,
  "record+udp://:0?file=/dev/null&lines": /after its length/,
  "forward+udp://:7007?to=127.0.0.1:7007": /would forward to itself/,
};

for (const [spec, why] of Object.entries(REFUSED)) {
  Deno.test(`${spec} is refused in words`, () => {
    assertMatch(assertThrows(() => configOf([spec]), UsageError).message, why);
  });
}

Deno.test("TLS for all outlets is refused if one of them is UDP", () => {
  const words = ["echo://:0", "echo+udp://:0", "--tls", "--tls-self-signed"];
  assertMatch(assertThrows(() => configOf(words), UsageError).message, /DTLS/);
});

for (const option of ["once", "crlf"]) {
  Deno.test(`${option} for all outlets is refused if one of them is UDP`, () => {
    const words = ["echo://:0", "echo+udp://:0", `--${option}`];
    const why = assertThrows(() => configOf(words), UsageError).message;
    assertMatch(why, new RegExp(`${option} has no effect over UDP`));
  });
}
Deno.test("routes for all outlets do not serve a UDP outlet", () => {
  const words = ["forward+udp://:0", "--sni", "a.test=127.0.0.1:9"];
  assertMatch(
    assertThrows(() => configOf(words), UsageError).message,
    /datagrams are forwarded without sni and route: give to/,
  );
});

Deno.test("docs/udp.md has every service, and why some are refused", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/udp.md", import.meta.url));
  for (const { name, datagram } of SERVICES.values()) {
    const [, about = ""] = new RegExp(`^\\| \`${name}\` +\\| (.*?) *\\|$`, "m").exec(text) ?? [];
    if ("refused" in datagram) assertEquals(about, `refused: ${datagram.refused}`);
    else assert(about !== "" && !about.startsWith("refused"), `${name}: ${about}`);
  }
});
