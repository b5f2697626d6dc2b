import { assertEquals, assertMatch } from "@std/assert";
import { acceptKey } from "../../../src/transport/websocket/accept_key.ts";
import { readUntil, send } from "../../harness/bytes.ts";
import { runTestClient } from "../../harness/client.ts";
import { closing, frame } from "../../harness/frames.ts";
import { TestServer } from "../../harness/server.ts";

/** Serves one client by hand: `answer` gets its request, and what it returns is sent. */
async function withServer(
  serve: (conn: Deno.TcpConn, request: string) => Promise<void>,
  run: (port: number) => Promise<void>,
): Promise<string> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let request = "";
  const serving = (async () => {
    using conn = await listener.accept();
    request = await readUntil(conn, /\r\n\r\n$/);
    await serve(conn, request);
  })();
  await run(listener.addr.port);
  await serving;
  return request;
}

/** What a client does and shows whose server answers the request with this text. */
async function answered(text: string, ...words: string[]): Promise<string> {
  let error = "";
  await withServer(
    (conn, request) => send(conn, text.replace("ACCEPT", accept(request))),
    async (port) => void ({ error } = await runTestClient([`ws://127.0.0.1:${port}/`, ...words])),
  );
  return error.replace(/^127\.0\.0\.1:\d+: /, "");
}

function accept(request: string): string {
  return acceptKey(/Sec-WebSocket-Key: (.*)\r\n/.exec(request)![1]!);
}

const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n";

const FAULTS: readonly (readonly [what: string, answer: string, error: RegExp])[] = [
  ["a page", "HTTP/1.1 200 OK\r\n\r\n", /^no WebSocket: it answered 200 OK$/],
  [
    "a redirect",
    "HTTP/1.1 302 Found\r\nLocation: /ws\r\n\r\n",
    /^no WebSocket: it answered 302 Found, to \/ws$/,
  ],
  [
    "a login",
    "HTTP/1.1 401 Unauthorized\r\n\r\n",
    /^no WebSocket: it answered 401 Unauthorized: --header/,
  ],
  ["another protocol", "SSH-2.0-x\r\n", /^no WebSocket: it does not speak HTTP$/],
  ["the end", "", /^no WebSocket: it closed the connection$/],
  ["a wrong proof", `${SWITCH}Sec-WebSocket-Accept: x\r\n\r\n`, /does not prove/],
  ["no proof", `${SWITCH}\r\n`, /does not prove/],
  ["no upgrade", "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n", /does not prove/],
  [
    "an extension",
    `${SWITCH}Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
    /an extension that was not offered/,
  ],
  [
    "another subprotocol",
    `${SWITCH}Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: b\r\n\r\n`,
    /a subprotocol that was not offered/,
  ],
];

for (const [what, answer, error] of FAULTS) {
  Deno.test(`a server that answers with ${what} is no WebSocket`, async () => {
    assertMatch(await answered(answer, "--subprotocol", "a"), error);
  });
}

/** Serves one WebSocket by hand, and returns what the client did. */
async function served(
  frames: readonly Uint8Array[],
  words: readonly string[],
  input = "",
): Promise<{ received: string; logged: string; error: string; request: string }> {
  let talk = { received: "", logged: "", error: "" };
  const request = await withServer(async (conn, request) => {
    await send(conn, `${SWITCH}Sec-WebSocket-Accept: ${accept(request)}\r\n\r\n`);
    for (const bytes of frames) await send(conn, bytes);
    const buffer = new Uint8Array(1024);
    while (await conn.read(buffer).catch(() => null) !== null);
  }, async (port) => {
    talk = await runTestClient([`ws://127.0.0.1:${port}/chat?room=1`, ...words], input);
  });
  return { ...talk, request };
}

const server = { key: undefined };

Deno.test("a request has the path and query, the host, and the fields and subprotocols that are asked for", async () => {
  const words = [
    "--header",
    "Authorization: Bearer x",
    "--header",
    "Origin: http://a",
    "--subprotocol",
    "b,c",
  ];
  const { request } = await served([frame(8, closing(1000), server)], words);
  assertMatch(request, /^GET \/chat\?room=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  assertMatch(
    request,
    /\r\nSec-WebSocket-Protocol: b, c\r\nAuthorization: Bearer x\r\nOrigin: http:\/\/a\r\n/,
  );
});

Deno.test("messages are shown as bytes, or each as a line", async () => {
  const frames = [
    frame(1, "one", server),
    frame(2, "two\n", server),
    frame(8, closing(1000), server),
  ];
  assertEquals((await served(frames, [])).received, "onetwo\n");
  assertEquals((await served(frames, ["--text"])).received, "one\ntwo\n");
});

const ENDS: readonly (readonly [what: string, bytes: Uint8Array, error: string])[] = [
  ["code 1000", frame(8, closing(1000), server), ""],
  ["code 1001", frame(8, closing(1001), server), ""],
  ["no code", frame(8, "", server), ""],
  [
    "code 1011",
    frame(8, closing(1011, "out of luck"), server),
    "closed with 1011 internal error: out of luck",
  ],
  ["a masked frame", frame(2, "x"), "the peer broke the WebSocket protocol: a frame is masked"],
];

for (const [what, bytes, expected] of ENDS) {
  Deno.test(`the end of a server with ${what} is told as ${expected || "an end"}`, async () => {
    const { received, error } = await served([frame(1, "last", server), bytes], []);
    assertEquals([received, error], ["last", expected]);
  });
}

Deno.test("a message is a write, or a line with --text, and what is left at the end is one, too", async () => {
  await using echo = await TestServer.open("echo+ws://:0?text", "echo+ws://:0?text-lines");
  const [text, lines] = [0, 1].map((at) => `ws://127.0.0.1:${echo.port(at)}`);
  assertEquals((await runTestClient([text!], "a\nb")).received, "a\nb");
  assertEquals((await runTestClient([lines!, "--text"], "a\r\nb\n\nc")).received, "a\nb\n\nc\n");
});

Deno.test("the ways to name a WebSocket reach the same", async () => {
  await using echo = await TestServer.open("echo+ws://:0?path=/a/b");
  const port = echo.port();
  for (
    const words of [
      [`ws://127.0.0.1:${port}/a/b`],
      [`ws://127.0.0.1:${port}/a/b?token=x`],
      [`ws://127.0.0.1:${port}?path=/a/b`],
      ["127.0.0.1", String(port), "--ws", "/a/b"],
    ]
  ) {
    assertEquals(await runTestClient(words, "hi\n"), {
      received: "hi\n",
      printed: "",
      logged: "",
      error: "",
    });
  }
});

Deno.test("a probe of a WebSocket makes its handshake", async () => {
  await using echo = await TestServer.open("echo+ws://:0", "echo://:0");
  const [open, closed] = await Promise.all(
    [0, 1].map((at) => runTestClient([`ws://127.0.0.1:${echo.port(at)}`, "-z", "-w", "5s"])),
  );
  assertMatch(open!.printed, /open/);
  assertMatch(closed!.error, /no WebSocket: it does not speak HTTP/);
});
