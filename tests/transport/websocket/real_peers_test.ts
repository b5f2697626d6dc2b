/** What others who speak WebSocket make of outlet: python3-websockets, websockify, Chromium, Deno, HAProxy, curl. */
import { assertEquals, assertMatch } from "@std/assert";
import { runTestClient } from "../../harness/client.ts";
import { BrowserWindow } from "../../harness/browser.ts";
import { haproxy } from "../../harness/daemons.ts";
import { freePort, isOpen } from "../../harness/ports.ts";
import { Program, run } from "../../harness/program.ts";
import { TestServer } from "../../harness/server.ts";
import { testWith } from "../../harness/tools.ts";

const PEER = ["/usr/bin/python3", new URL("python_peer.py", import.meta.url).pathname] as const;

testWith(
  ["python3-websockets"],
  "python3-websockets asks an outlet: text, fragments, a ping, the end",
  async () => {
    await using server = await TestServer.open("echo+ws://:0", "echo+ws://:0?text");
    const asked = await run([...PEER, "ask", `ws://127.0.0.1:${server.port()}/x`, "héllo"]);
    assertEquals(
      [asked.stdout, asked.stderr],
      ["subprotocol binary, extensions 0\nbytes héllo\nsame\nclosed 1000\n", ""],
    );
    assertEquals((await server.event("closed")).reason, "peer closed");
  },
);

testWith(
  ["python3-websockets"],
  "outlet asks python3-websockets, alone and as an upstream",
  async () => {
    await using echo = new Program([...PEER, "echo"]);
    const [port] = await echo.prints(/\d+/);
    for (const words of [[], ["--text"]]) {
      const { received, error } = await runTestClient(
        [`ws://127.0.0.1:${port}`, ...words],
        "one\ntwo\n",
      );
      assertEquals([received, error], ["one\ntwo\n", ""]);
    }
    await using front = await TestServer.open(`forward://:0?to=ws://127.0.0.1:${port}/`);
    const { received, error } = await runTestClient(["127.0.0.1", String(front.port())], "three\n");
    assertEquals([received, error], ["three\n", ""]);
  },
);

testWith(
  ["websockify"],
  "outlet reaches TCP through websockify, and stands where websockify does",
  async () => {
    await using echo = await TestServer.open("exec://:0", "--", "sh", "-c", "head -n 1; echo end");
    const port = freePort();
    await using _websockify = new Program(
      ["websockify", `127.0.0.1:${port}`, `127.0.0.1:${echo.port()}`],
    );
    await isOpen(port);
    await using server = await TestServer.open(`forward+ws://:0?to=127.0.0.1:${echo.port()}`);
    for (const at of [port, server.port()]) {
      const words = [
        `ws://127.0.0.1:${at}/websockify`,
        "--subprotocol",
        "binary",
        "--eof",
        "wait",
        "-v",
      ];
      const { received, logged, error } = await runTestClient(words, "line\n");
      assertEquals([received, error], ["line\nend\n", ""]);
      assertMatch(logged, /WebSocket at \/websockify for binary in /);
    }
  },
);

testWith(["curl"], "curl is told what this port is, and how to upgrade", async () => {
  await using server = await TestServer.open("echo+ws://:0");
  const { stdout } = await run(["curl", "-si", `http://127.0.0.1:${server.port()}/`]);
  assertMatch(stdout, /^HTTP\/1\.1 426 Upgrade Required\r\nUpgrade: websocket\r\n/);
  assertMatch(stdout, /This port speaks WebSocket \(RFC 6455\)/);
});

testWith(
  ["haproxy"],
  "behind HAProxy, the client is the one that X-Forwarded-For names",
  async () => {
    await using server = await TestServer.open(
      "echo+ws://:0?forwarded-for&trusted-proxy=127.0.0.2",
    );
    await using proxy = await haproxy((port) => [
      ...["listen test", "mode http", `bind 127.0.0.1:${port}`, "option forwardfor"],
      ...["timeout tunnel 30s", `server outlet 127.0.0.1:${server.port()} source 127.0.0.2`],
    ]);
    const { received, error } = await runTestClient([
      `ws://127.0.0.1:${proxy.port}/`,
      "--header",
      "X-Forwarded-For: 192.0.2.1",
    ], "x\n");
    assertEquals([received, error], ["x\n", ""]);
    const { peer } = await server.event("opened");
    // What the client itself wrote there is no trusted proxy's word.
    assertEquals(peer, { hostname: "127.0.0.1", port: 0 });
  },
);

Deno.test("Deno's WebSocket gets text where it is asked for, and a code when the server stops", async () => {
  await using server = await TestServer.open("echo+ws://:0?text");
  const socket = new WebSocket(`ws://127.0.0.1:${server.port()}/`);
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  const heard = new Promise<unknown>((resolve) => socket.onmessage = ({ data }) => resolve(data));
  socket.onopen = () => socket.send("héllo €");
  assertEquals(await heard, "héllo €");
  await server.server.stop({ grace: 0 });
  const { code } = await closed;
  assertEquals(code, 1001);
});

/** Runs in the page: opens a WebSocket, sends, and tells what came of it. */
const IN_PAGE = `async ({ url, size }) => {
  const socket = new WebSocket(url, ["binary"]);
  socket.binaryType = "arraybuffer";
  const ended = new Promise((resolve) => socket.onclose = ({ code, wasClean }) => resolve([code, wasClean]));
  const opened = await new Promise((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
  });
  if (!opened) return { opened };
  let received = 0, sum = 0;
  const all = new Promise((resolve) => socket.onmessage = ({ data }) => {
    for (const byte of new Uint8Array(data)) sum += byte;
    if ((received += data.byteLength) === size + 5) resolve();
  });
  socket.send("hello");
  socket.send(new Uint8Array(size).fill(7));
  await all;
  socket.close(1000, "done");
  const { protocol, extensions } = socket;
  return { opened, protocol, extensions, sum, ended: await ended };
}`;

testWith(
  ["chromium"],
  "Chromium's WebSocket is refused from other pages, and served where its origin may come",
  async () => {
    await using page = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () =>
        new Response("<!doctype html><title>page</title>", {
          headers: { "content-type": "text/html" },
        }),
    );
    const origin = `http://127.0.0.1:${page.addr.port}`;
    await using server = await TestServer.open("echo+ws://:0", `echo+ws://:0?origin=${origin}`);
    await using browser = await BrowserWindow.open();
    await browser.page.goto(origin);
    const size = 3_000_000;
    const outcomes = [];
    for (const at of [0, 1]) {
      const url = `ws://127.0.0.1:${server.port(at)}/`;
      outcomes.push(await browser.page.evaluate(`(${IN_PAGE})(${JSON.stringify({ url, size })})`));
    }
    const sum = size * 7 + [..."hello"].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
    assertEquals(outcomes, [
      { opened: false },
      { opened: true, protocol: "binary", extensions: "", sum, ended: [1000, true] },
    ]);
    assertEquals((await server.event("refused")).reason, "WebSocket: an Origin of another host");
  },
);
