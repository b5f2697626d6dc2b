import { assert, assertEquals, assertMatch } from "@std/assert";
import { bytesOf, noise, readAll, readText, send, sha256 } from "../../harness/bytes.ts";
import { closing, frame, RawWebSocket, request } from "../../harness/frames.ts";
import { TestServer } from "../../harness/server.ts";

async function open(server: TestServer, fields = {}): Promise<RawWebSocket> {
  return await RawWebSocket.open(await server.connect(), fields);
}

const ANSWERS: readonly (readonly [what: string, said: string, answer: RegExp, reason: RegExp])[] =
  [
    [
      "a plain request",
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      /^HTTP\/1\.1 426 .*\r\nUpgrade: websocket\r\n.*This port speaks WebSocket/s,
      /plain HTTP request/,
    ],
    [
      "a HEAD request",
      "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
      /^HTTP\/1\.1 426 [^]*\r\n\r\n$/,
      /plain HTTP/,
    ],
    ["a POST", request({}, "POST / HTTP/1.1"), /^HTTP\/1\.1 426 /, /plain HTTP request/],
    [
      "an older version",
      request({ "Sec-WebSocket-Version": "8" }),
      /^HTTP\/1\.1 426 [^]*\r\nSec-WebSocket-Version: 13\r\n/,
      /another version/,
    ],
    ["HTTP 1.0", request({}, "GET / HTTP/1.0"), /^HTTP\/1\.1 400 /, /HTTP\/1\.0/],
    [
      "no key",
      request({ "Sec-WebSocket-Key": undefined }),
      /^HTTP\/1\.1 400 /,
      /Sec-WebSocket-Key/,
    ],
    [
      "a short key",
      request({ "Sec-WebSocket-Key": "c2hvcnQ=" }),
      /^HTTP\/1\.1 400 /,
      /Sec-WebSocket-Key/,
    ],
    ["no Host", request({ Host: undefined }), /^HTTP\/1\.1 400 /, /Host/],
    ["two Hosts", request({ host: "b" }), /^HTTP\/1\.1 400 /, /Host/],
    ["a folded field", request({ "X-A": "b\r\n c" }), /^HTTP\/1\.1 400 /, /header field/],
    ["lines without CR", "GET / HTTP/1.1\nHost: x\n\n", /^HTTP\/1\.1 400 /, /no HTTP request/],
    [
      "a head without an end",
      request({ "X-A": "a".repeat(20_000) }),
      /^HTTP\/1\.1 400 /,
      /16384 bytes/,
    ],
    ["words", "hello\n", /^HTTP\/1\.1 400 /, /no HTTP request/],
    ["TLS", "\x16\x03\x01\x02\x00\x01", /^HTTP\/1\.1 400 /, /TLS ClientHello/],
    ["another path", request({}, "GET /other HTTP/1.1"), /^HTTP\/1\.1 404 /, /another path/],
    ["another origin", request({ Origin: "http://evil.test" }), /^HTTP\/1\.1 403 /, /Origin/],
    [
      "another port's origin",
      request({ Origin: "http://localhost:81" }),
      /^HTTP\/1\.1 403 /,
      /Origin/,
    ],
    ["origin null", request({ Origin: "null" }), /^HTTP\/1\.1 403 /, /Origin null/],
  ];

for (const [what, said, answer, reason] of ANSWERS) {
  Deno.test(`${what} is answered in HTTP, and refused in the log`, async () => {
    await using server = await TestServer.open("echo+ws://:0?path=/");
    using client = await server.connect();
    await send(client, said);
    assertMatch(await readText(client), answer);
    await client.closeWrite();
    assertMatch((await server.event("refused")).reason, reason);
  });
}

const ORIGINS: readonly (readonly [spec: string, origin: string, host: string])[] = [
  ["echo+ws://:0", "http://localhost:7000", "localhost:7000"],
  ["echo+ws://:0", "https://example.test", "example.test:443"],
  ["echo+ws://:0?origin=https://example.test", "https://example.test", "localhost"],
  ["echo+ws://:0?origin=null", "null", "localhost"],
  ["echo+ws://:0?origin=*", "http://evil.test", "localhost"],
];

for (const [spec, origin, host] of ORIGINS) {
  Deno.test(`${spec} lets a page of ${origin} in at ${host}`, async () => {
    await using server = await TestServer.open(spec);
    using client = await open(server, { Origin: origin, Host: host });
    await client.send(frame(2, "x"));
    assertEquals(await client.text(1), "x");
  });
}

Deno.test("every message comes back, whatever its kind and fragments, and pings are answered between them", async () => {
  await using server = await TestServer.open("echo+ws://:0");
  using client = await open(server);
  await client.send(frame(1, "te", { fin: false }), frame(9, "p"), frame(0, "xt"));
  await client.send(frame(10, "a pong that nobody asked for"), frame(2, "binary"));
  const frames = [];
  for (let text = ""; text !== "textbinary";) {
    const next = (await client.next())!;
    if (next.opcode === 2) text += new TextDecoder().decode(next.payload);
    else frames.push(next);
  }
  assertEquals(frames, [{ opcode: 10, fin: true, isMasked: false, payload: bytesOf("p") }]);
});

Deno.test("a close frame is answered with its code once the service is done, then TCP is closed", async () => {
  await using server = await TestServer.open("echo+ws://:0");
  for (const code of [1000, 1001, undefined]) {
    using client = await open(server);
    await client.send(frame(2, "last"), frame(8, code === undefined ? "" : closing(code)));
    assertEquals(await client.text(4), "last");
    assertEquals([await client.closeCode(), await client.next()], [code, null]);
  }
  const ends = server.events.flatMap((event) => event.event === "closed" ? [event] : []);
  assertEquals(ends.map(({ reason }) => reason), ["peer closed", "peer closed", "peer closed"]);
  assertEquals(ends[1]!.notes?.["ws-close"], "1001 going away");
});

const ENDS: readonly (readonly [
  what: string,
  bytes: Uint8Array,
  code: number | undefined,
  reason: string,
])[] = [
  [
    "a code that names a failure",
    frame(8, closing(1011, "boom\x1b")),
    1011,
    "closed with 1011 internal error: boom␛",
  ],
  ["a code of its own", frame(8, closing(4001, "")), 4001, "closed with 4001"],
  [
    "no mask",
    frame(2, "x", { key: undefined }),
    1002,
    "error: the peer broke the WebSocket protocol: a frame is not masked",
  ],
  [
    "text that is none",
    frame(1, Uint8Array.of(0xff)),
    1007,
    "error: the peer broke the WebSocket protocol: text is not valid UTF-8",
  ],
  [
    "too long a message",
    frame(2, "x".repeat(11)),
    1009,
    "error: the peer broke the WebSocket protocol: a message is longer than 10 bytes",
  ],
];

for (const [what, bytes, code, reason] of ENDS) {
  Deno.test(`a client with ${what} gets a close frame with ${code}, and the log says so`, async () => {
    await using server = await TestServer.open("echo+ws://:0?max-message=10");
    using client = await open(server);
    await client.send(bytes);
    assertEquals(await client.closeCode(), code);
    await client.conn.closeWrite();
    assertEquals((await server.event("closed")).reason, reason);
  });
}

Deno.test("a client that closes TCP without a close frame is cut off", async () => {
  await using server = await TestServer.open("echo+ws://:0");
  using client = await open(server);
  await client.conn.closeWrite();
  assertEquals(
    (await server.event("closed")).reason,
    "cut off: the peer closed without a WebSocket close frame",
  );
});

Deno.test("a server that stops says 1001", async () => {
  await using server = await TestServer.open("echo+ws://:0");
  using client = await open(server);
  await server.event("opened");
  await server.server.stop({ grace: 0 });
  assertEquals(await client.closeCode(), 1001);
});

Deno.test("what an upstream sent before it closed comes before the close frame, and the other way round", async () => {
  using upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await TestServer.open(`forward+ws://:0?to=127.0.0.1:${upstream.addr.port}`);
  const data = noise(3_000_000);
  using client = await open(server);
  const conn = await upstream.accept();
  await client.send(frame(2, data.subarray(0, 300_000)), frame(8, closing(1000)));
  assertEquals(await sha256(await readAll(conn)), await sha256(data.subarray(0, 300_000)));
  const sending = send(conn, data).then(() => conn.close());
  const parts: Uint8Array[] = [];
  for (let next = await client.next(); next!.opcode !== 8; next = await client.next()) {
    parts.push(next!.payload);
  }
  await sending;
  const received = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  assertEquals(await sha256(received), await sha256(data));
});

Deno.test("text keeps characters whole, wherever the service's writes divide them", async () => {
  using upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await TestServer.open(
    `forward+ws://:0?text&to=127.0.0.1:${upstream.addr.port}`,
  );
  using client = await open(server);
  using conn = await upstream.accept();
  const text = "a€😀é";
  let heard = "";
  for (const byte of bytesOf(text)) {
    await send(conn, Uint8Array.of(byte));
    await client.send(frame(9));
    for (let next = (await client.next())!; next.opcode !== 10; next = (await client.next())!) {
      assertEquals(next.opcode, 1);
      heard += new TextDecoder("utf-8", { fatal: true }).decode(next.payload);
    }
  }
  while (heard !== text) {
    heard += new TextDecoder("utf-8", { fatal: true }).decode((await client.next())!.payload);
  }
});

Deno.test("bytes that are no text are replaced, and the log says so", async () => {
  await using server = await TestServer.open("echo+ws://:0?text");
  using client = await open(server);
  await client.send(frame(2, Uint8Array.of(0x61, 0xff, 0x62)), frame(8));
  assertEquals(await client.text(3), "a\ufffdb");
  assertEquals(await client.closeCode(), undefined);
  assertEquals((await server.event("closed")).notes?.["ws-text"], "invalid UTF-8 was replaced");
});

Deno.test("with lines, a message is a line of the room", async () => {
  await using server = await TestServer.open("chat+ws://:0?text-lines");
  using ann = await open(server);
  using bob = await open(server);
  await ann.send(frame(1, "/name ann"));
  await bob.send(frame(1, "hello\nagain"));
  const heard: string[] = [];
  while (!heard.some((line) => line.includes("again"))) {
    const { opcode, payload } = (await ann.next())!;
    assertEquals(opcode, 1);
    heard.push(new TextDecoder().decode(payload));
  }
  assert(heard.every((line) => !line.includes("\n")), JSON.stringify(heard));
});
