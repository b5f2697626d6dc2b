/** The console's API, as programs use it. */
import { API } from "../../src/console/router.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readAll, readText, readUntil, send } from "../harness/bytes.ts";
import { type Streamed, TestConsole } from "../harness/console.ts";
import { from } from "../harness/server.ts";

Deno.test("the API is versioned: the page uses that version, and other paths are answered with the right one", async () => {
  await using console = await TestConsole.open("echo://:0");
  assertMatch(await (await console.ask("/api.js")).text(), new RegExp(`API = "${API}"`));
  for (const [path, instead] of [["/api/outlets", "outlets"], ["/api/v0/rooms/1", "rooms/1"]]) {
    const answer = await fetch(console.origin + path);
    const { error } = await answer.json();
    assertEquals([answer.status, error], [
      404,
      `there is no ${path}: the API is at ${API}, see ${API}/${instead}`,
    ]);
  }
});

Deno.test("an outlet is opened with options of its service, listed, and stopped", async () => {
  await using console = await TestConsole.open("echo://:0");
  const opened = await console.post("/api/v1/outlets", {
    service: "daytime",
    host: "127.0.0.1",
    port: 0,
    options: { "max-connections": "3", allow: ["127.0.0.0/8", "10.0.0.0/8"] },
  });
  assertMatch(opened.address, /^127\.0\.0\.1:\d+$/);
  const port = Number(opened.address.split(":")[1]);
  {
    using client = await Deno.connect({ hostname: "127.0.0.1", port });
    assertMatch(await readText(client), /\d{4}/);
    await console.server.event("closed", from(client));
  }
  assertEquals((await console.get("/api/v1/server")).state, "ready");
  const outlets = await console.get("/api/v1/outlets");
  assertEquals(outlets.map(({ name }: { name: string }) => name), ["echo", "daytime"]);
  const { state, open, opened: total, bytesOut, queue } = outlets[1];
  assertEquals([state, open, total, queue], ["open", 0, 1, 0]);
  assert(bytesOut > 0);
  await console.post(`/api/v1/outlets/${opened.id}/stop`);
  await console.server.event("stopped");
  assertEquals((await console.get("/api/v1/outlets")).length, 1);
});

Deno.test("an outlet drains for as long as requested, and is listed until it has stopped", async () => {
  await using console = await TestConsole.open("echo://:0");
  using client = await console.server.connect();
  await console.server.event("opened");
  await console.post("/api/v1/outlets/1/stop", { grace: "1h" });
  assertEquals((await console.get("/api/v1/outlets"))[0].state, "draining");
  await console.post("/api/v1/outlets/1/stop", { grace: "0" });
  assertEquals(await readText(client), "");
  assertEquals((await console.server.event("stopped")).aborted, 1);
});

Deno.test("an outlet that cannot be opened is answered with the field at fault", async (t) => {
  await using console = await TestConsole.open("echo://:0");
  const taken = console.server.port();
  const cases: [body: object, status: number, field: string | undefined, error: RegExp][] = [
    [{ service: "ecko", port: 0 }, 400, "service", /did you mean "echo"/],
    [{ service: "echo", port: "80x" }, 400, "port", /expected a port/],
    [{ service: "echo", host: "::x", port: 0 }, 400, "host", /expected a host name/],
    [
      { service: "echo", port: taken },
      409,
      "port",
      /^echo and echo have the same address, 127\.0\.0\.1:\d+$/,
    ],
    [
      { service: "echo", port: 0, options: { "idle-timeout": "soon" } },
      400,
      "idle-timeout",
      /a duration such as/,
    ],
    [{ service: "echo", port: 0, options: { motd: "x" } }, 400, "motd", /no option motd/],
    [{ service: "echo", host: "0.0.0.0", port: taken }, 409, "port", /have overlapping addresses/],
    [{ service: "echo", host: "203.0.113.9", port: 0 }, 409, "host", /address not available/],
    [{ service: "exec", port: 0 }, 400, "run", /needs a program/],
    [{ service: "proxy", host: "0.0.0.0", port: 0 }, 400, "auth", /would be an open proxy/],
    ...options("proxy", { auth: "/none" }, [409, "auth", /auth \/none: no such file/]),
    ...options("exec", { run: "/none" }, [409, "run", /cannot run "\/none": no such program/]),
    ...options("exec", { run: "sh", cwd: "/none" }, [409, "cwd", /cwd \/none: no such/]),
    ...options("forward", { to: "127.0.0.1:1", balance: "first" }, [400, "balance", /several/]),
    ...options("record", { dir: "/none" }, [409, "dir", /no such directory/]),
    ...options("record", { file: "/tmp/x", keep: "3" }, [400, "keep", /needs rotate-size or rot/]),
    ...options("echo", { tls: "true" }, [400, "tls-cert", /^tls needs tls-cert/]),
    ...options("echo", { "tls-client-ca": "x" }, [
      400,
      "tls-client-ca",
      /^tls-client-ca needs tls$/,
    ]),
    ...options("echo", { alpn: "h2" }, [400, "alpn", /^alpn needs tls$/]),
    ...options("echo", { tls: "true", "tls-cert": "/none" }, [409, "tls-cert", /no such file/]),
    ...options("echo", { burst: "3" }, [400, "burst", /^burst needs rate$/]),
    ...options("echo", { mode: "0600" }, [400, "mode", /^mode is only for Unix sockets/]),
    ...options("echo", { "capture-limit": "1" }, [400, "capture-limit", /needs capture$/]),
  ];
  function options(
    service: string,
    options: Record<string, string>,
    [status, field, error]: [number, string, RegExp],
  ): typeof cases {
    return [[{ service, port: 0, options }, status, field, error]];
  }
  for (const [body, status, field, error] of cases) {
    await t.step(JSON.stringify(body), async () => {
      const answer = await console.ask("/api/v1/outlets", {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
      const answered = await answer.json();
      assertEquals([answer.status, answered.field], [status, field]);
      assertMatch(answered.error, error);
      // Errors for a form do not mention flags.
      assertEquals(/--|os error|\bop_/.test(answered.error), false, answered.error);
    });
  }
});

Deno.test("two outlets opened in the console cannot have the same name", async () => {
  await using console = await TestConsole.open("echo://:0");
  const body = { service: "echo", port: 0, options: { name: "one" } };
  await console.post("/api/v1/outlets", body);
  const answer = await console.ask("/api/v1/outlets", {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  assertEquals([answer.status, (await answer.json()).field], [409, "name"]);
});

Deno.test("descriptions of options do not mention flags", async () => {
  await using console = await TestConsole.open("echo://:0");
  const text = JSON.stringify(await console.get("/api/v1/services"));
  assertEquals(text.replace("rsync --daemon", "").match(/--[a-z].{20}/g), null);
});

Deno.test("every service describes its options for a form", async () => {
  await using console = await TestConsole.open("echo://:0");
  const services = await console.get("/api/v1/services");
  const chat = services.find(({ name }: { name: string }) => name === "chat");
  const option = (name: string) =>
    chat.options.find((option: { name: string }) => option.name === name);
  assertEquals(option("room").group, "service");
  assertEquals(option("when-full").choices, ["refuse", "defer"]);
  assertEquals([option("keep-alive").placeholder, option("keep-alive").default], [
    undefined,
    "true",
  ]);
  assertEquals([option("allow").group, option("allow").repeats], ["admission", true]);
});

Deno.test("connections are filtered, sorted and returned by pages", async () => {
  await using console = await TestConsole.open("echo://:0", "discard://:0");
  const clients = await Promise.all([
    ...Array.from({ length: 20 }, () => console.server.connect(0)),
    ...Array.from({ length: 5 }, () => console.server.connect(1)),
  ]);
  try {
    for (const client of clients) await console.server.event("opened", from(client));
    await send(clients[7]!, "the most bytes");
    await readUntil(clients[7]!, /bytes/);
    const page = await console.get(
      "/api/v1/connections?sort=-bytesIn&limit=3&offset=0&filter=echo",
    );
    assertEquals([page.open, page.matching, page.connections.length], [25, 20, 3]);
    const { local, peer, state, bytesIn, bytesOut } = page.connections[0];
    const { port } = clients[7]!.localAddr;
    assertEquals([local, peer], [`127.0.0.1:${console.server.port()}`, `127.0.0.1:${port}`]);
    assertEquals([state, bytesIn, bytesOut], ["ESTABLISHED", 14, 14]);
    const one = await console.get(`/api/v1/connections?filter=%23${page.connections[0].id}`);
    assertEquals(one.matching, 1);
    const { closed } = await console.post("/api/v1/connections/close", { filter: "discard" });
    assertEquals(closed, 5);
    assertEquals((await console.get("/api/v1/connections")).open, 20);
  } finally {
    for (const client of clients) client.close();
  }
});

Deno.test("a connection is tapped, written to, half-closed and closed", async () => {
  await using console = await TestConsole.open("discard://:0");
  using client = await console.server.connect();
  const { connection: id } = await console.server.event("opened");
  const started = Promise.withResolvers<void>();
  const watching = console.stream(`?watch=connection:${id}`, (all) => {
    started.resolve();
    const pieces = piecesIn(all);
    return ["in", "out"].every((wanted) => pieces.some(({ direction }) => direction === wanted));
  });
  await started.promise;
  await send(client, "ping");
  await console.post(`/api/v1/connections/${id}/send`, { text: "pong\u001b[31m\n" });
  assertEquals(
    new Map(piecesIn(await watching).map(({ direction, data }) => [direction, atob(data)])),
    new Map([["in", "ping"], ["out", "pong\x1b[31m\n"]]),
  );
  await console.post(`/api/v1/connections/${id}/send`, { hex: "00 fF" });
  await console.post(`/api/v1/connections/${id}/end`);
  assertEquals([...await readAll(client)].slice(-3), [0x0a, 0x00, 0xff]);
  const answer = await console.ask(`/api/v1/connections/${id}`, { method: "DELETE" });
  assertEquals(answer.status, 204);
  const closed = await console.server.event("closed");
  assertEquals(closed.reason, "closed by the operator");
  const { open, events } = await console.get(`/api/v1/connections/${id}`);
  assertEquals(open, false);
  assertEquals(events.map(({ event }: { event: string }) => event), ["opened", "closed"]);
});

Deno.test("sending to a client that does not read is refused, and does not block", async () => {
  await using console = await TestConsole.open("discard://:0");
  using _client = await console.server.connect();
  const { connection: id } = await console.server.event("opened");
  const block = { text: "x".repeat(200_000) };
  await assertRejects(
    async () => {
      for (;;) await console.post(`/api/v1/connections/${id}/send`, block);
    },
    Error,
    "the peer does not read",
  );
});

Deno.test("a handshake is an SVG image, and labelled as inferred if it was not captured", async () => {
  await using console = await TestConsole.open("echo://:0");
  using _client = await console.server.connect();
  const { connection: id } = await console.server.event("opened");
  const answer = await console.ask(`/api/v1/connections/${id}/ladder.svg`);
  assertEquals(answer.headers.get("content-type"), "image/svg+xml");
  const svg = await answer.text();
  assertMatch(svg, /^<svg /);
  assertMatch(svg, /SYN\+ACK \(inferred\)/);
});

Deno.test("the console connects, sends and receives, and shows the handshake", async () => {
  await using console = await TestConsole.open("echo://:0");
  const { id } = await console.post("/api/v1/clients", {
    host: "127.0.0.1",
    port: console.server.port(),
  });
  const name = `client:${id}`;
  const states = await console.stream(
    `?watch=${name}`,
    (all) =>
      all.some(({ event, data }) =>
        event === "client" && data.state === "open" && data.ladders === 1
      ),
  );
  assert(states.length > 0);
  await console.post(`/api/v1/clients/${id}/send`, { text: "hello\n" });
  // A stream that is opened later begins with the transcript.
  const pieces = await console.stream(
    `?watch=${name}`,
    (all) => JSON.stringify(all).includes('"in"'),
  );
  assertEquals(piecesIn(pieces).map(({ direction, data }) => [direction, atob(data)]), [
    ["out", "hello\n"],
    ["in", "hello\n"],
  ]);
  const ladder = await console.ask(`/api/v1/clients/${id}/ladders/0.svg`);
  assertMatch(await ladder.text(), /ESTABLISHED/);
  await console.post(`/api/v1/clients/${id}/end`);
  await console.server.event("closed");
});

Deno.test("a client that cannot connect has an error and a ladder", async () => {
  await using console = await TestConsole.open("echo://:0");
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = occupant.addr;
  occupant.close();
  const { id } = await console.post("/api/v1/clients", { host: "127.0.0.1", port });
  const [last] = (await console.stream(
    `?watch=client:${id}`,
    (all) => all.some(({ event, data }) => event === "client" && data.ladders === 1),
  )).filter(({ event, data }) => event === "client" && data.ladders === 1);
  assertEquals(last!.data.state, "failed");
  assertMatch(
    last!.data.error,
    /cannot connect to .*: connection refused: nothing listens on that port/,
  );
  await assertRejects(
    () => console.post(`/api/v1/clients/${id}/send`, { text: "x" }),
    Error,
    "409",
  );
});

Deno.test("a client that reopens the event stream receives what it missed, once", async () => {
  await using console = await TestConsole.open("echo://:0", "discard://:0");
  const first = await console.stream("", (all) => all.some(({ data }) => data.event === "ready"));
  const [hello] = first;
  assertEquals([hello!.event, hello!.data.resumed], ["hello", false]);
  const messages = first.filter(({ event }) => event === "message");
  assertEquals(messages.map(({ data }) => data.event), ["listening", "listening", "ready"]);
  using _client = await console.server.connect();
  await console.server.event("opened");
  const id = messages[1]!.id!;
  const rest = await console.stream(
    "",
    (all) => all.some(({ data }) => data.event === "opened"),
    { "last-event-id": id },
  );
  assertEquals(rest[0]!.data.resumed, true);
  assertEquals(
    rest.filter(({ event }) => event === "message").map(({ data }) => data.event),
    ["ready", "opened"],
  );
});

Deno.test("the samples of the last fifteen minutes can be read", async () => {
  await using console = await TestConsole.open("echo://:0");
  using client = await console.server.connect();
  await send(client, "hello");
  await readUntil(client, /hello/);
  const samples = await console.stream("", (all) => all.some(({ event }) => event === "sample"));
  const { open, opened, bytesIn, bytesOut } = samples.find(({ event }) => event === "sample")!.data;
  assertEquals([open, opened, bytesIn, bytesOut], [1, 1, 5, 5]);
  assertEquals((await console.get("/api/v1/history")).length >= 1, true);
});

interface Piece {
  readonly direction: string;
  /** Base64. */
  readonly data: string;
}

function piecesIn(all: readonly Streamed[]): Piece[] {
  return all.flatMap(({ event, data }) => event === "bytes" ? data.pieces : []);
}
