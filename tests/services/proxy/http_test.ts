/** HTTP CONNECT, and requests with a whole URL. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { noise, readText, readUntil, send } from "../../harness/bytes.ts";
import { freePort } from "../../harness/ports.ts";
import { TestServer } from "../../harness/server.ts";

const LOCAL = "127.0.0.1";

/** Sends a request through the proxy; resolves to what the target got, and what the client got. */
async function forwarded(
  server: TestServer,
  request: (authority: string) => string,
  response: string,
): Promise<{ request: string; response: string }> {
  using target = Deno.listen({ hostname: LOCAL, port: 0 });
  using client = await server.connect();
  await send(client, request(`${LOCAL}:${target.addr.port}`));
  using accepted = await target.accept();
  const head = await readUntil(accepted, /\r\n\r\n/);
  await send(accepted, response);
  await accepted.closeWrite();
  const text = await readText(client);
  await client.closeWrite();
  return { request: head + await readText(accepted), response: text };
}

Deno.test("CONNECT opens a tunnel, and what follows the request goes through it", async () => {
  await using server = await TestServer.open("proxy://:0", "echo://:0");
  using client = await server.connect();
  await send(client, `CONNECT localhost:${server.port(1)} HTTP/1.1\r\nHost: x\r\n\r\nearly`);
  assertEquals(
    await readUntil(client, /early/),
    "HTTP/1.1 200 Connection established\r\n\r\nearly",
  );
  await client.closeWrite();
  await readText(client);
  const { notes } = await server.event("closed", ({ notes }) => notes?.request !== undefined);
  assertEquals(notes?.request, "http CONNECT");
  assertEquals(notes?.target, `localhost:${server.port(1)}`);
});

Deno.test("a request with a whole URL is sent on to its host, without fields of the hop", async () => {
  await using server = await TestServer.open("proxy://:0");
  const { request, response } = await forwarded(
    server,
    (authority) =>
      [
        `GET http://${authority}/a?b=c HTTP/1.1`,
        "Host: elsewhere",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eDp5",
        "Connection: keep-alive, X-Hop, Host",
        "X-Hop: 1",
        "X-End: \xe9",
        "",
        "",
      ].join("\r\n"),
    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nhi",
  );
  const [, authority] = /^Host: (.*)$/m.exec(request)!;
  assertEquals(
    request.replaceAll(authority!, "TARGET").replace("\r\n\r\n", ""),
    [
      "GET /a?b=c HTTP/1.1",
      "Host: TARGET",
      `X-End: ${new TextDecoder().decode(new TextEncoder().encode("\xe9"))}`,
      "Via: 1.1 outlet",
      "Connection: close",
    ].join("\r\n"),
  );
  assertEquals(
    response,
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 outlet\r\nConnection: close\r\n\r\nhi",
  );
});

Deno.test("only the body of a request is sent on, whatever follows it", async () => {
  await using server = await TestServer.open("proxy://:0");
  for (
    const [field, body] of [
      ["Content-Length: 5", "12345"],
      ["Transfer-Encoding: chunked", "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n"],
      ["Content-Length: 0", ""],
    ]
  ) {
    const { request } = await forwarded(
      server,
      (authority) =>
        `POST http://${authority}/ HTTP/1.1\r\n${field}\r\n\r\n${body}GET http://evil/ HTTP/1.1\r\n\r\n`,
      "HTTP/1.1 204 No Content\r\n\r\n",
    );
    assertEquals(request.split("\r\n\r\n").slice(1).join("\r\n\r\n"), body);
  }
});

Deno.test("a body in pieces of any size keeps its end", async () => {
  await using server = await TestServer.open("proxy://:0");
  using target = Deno.listen({ hostname: LOCAL, port: 0 });
  using client = await server.connect();
  client.setNoDelay(true);
  const body = "1\r\na\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";
  const { port } = target.addr;
  await send(
    client,
    `PUT http://${LOCAL}:${port}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  using accepted = await target.accept();
  await readUntil(accepted, /\r\n\r\n/);
  for (const letter of body + "rest") await send(client, letter);
  await client.closeWrite();
  assertEquals(await readText(accepted), body);
});

Deno.test("a request whose end is not clear is refused", async () => {
  await using server = await TestServer.open("proxy://:0");
  for (
    const fields of [
      "Content-Length: 5\r\nTransfer-Encoding: chunked",
      "Content-Length: 5\r\nContent-Length: 6",
      "Content-Length: -1",
      "Transfer-Encoding: gzip, chunked",
    ]
  ) {
    using client = await server.connect();
    await send(client, `POST http://localhost:1/ HTTP/1.1\r\n${fields}\r\n\r\n`);
    assertMatch(await readText(client), /^HTTP\/1\.1 400 /);
  }
});

Deno.test("a chunk that ends with something else resets the client, and is not sent on", async () => {
  await using server = await TestServer.open("proxy://:0");
  using target = Deno.listen({ hostname: LOCAL, port: 0 });
  using client = await server.connect();
  const { port } = target.addr;
  const head = `PUT http://${LOCAL}:${port}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n`;
  await send(client, `${head}1\r\na\n\r0\r\n\r\n`);
  using accepted = await target.accept();
  const text = await readText(accepted).catch(() => "");
  assert(!text.includes("a\n\r"), text);
  const { reason } = await server.event("closed");
  assertEquals(reason, "error: a chunk of the request does not end with CRLF");
});

Deno.test("interim responses are passed on, but not to HTTP/1.0", async () => {
  await using server = await TestServer.open("proxy://:0");
  const all = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
    "HTTP/1.1 200 OK\r\n\r\nbody";
  for (const version of ["1.0", "1.1"]) {
    const { request, response } = await forwarded(
      server,
      (authority) => `GET http://${authority} HTTP/${version}\r\n\r\n`,
      all,
    );
    assertMatch(request, new RegExp(`^GET / HTTP/${version.replace(".", "\\.")}\r\n`));
    assertEquals(response.includes("100 Continue"), version === "1.1");
    assertMatch(response, /200 OK\r\nVia: 1.1 outlet\r\nConnection: close\r\n\r\nbody$/);
  }
});

Deno.test("a server that answers no HTTP, or nothing, is a bad gateway", async () => {
  await using server = await TestServer.open("proxy://:0");
  const get = (authority: string) => `GET http://${authority}/ HTTP/1.1\r\n\r\n`;
  const nothing = await forwarded(server, get, "");
  assertMatch(nothing.response, /^HTTP\/1\.1 502 [^]*closed without a response\n$/);
  const other = await forwarded(server, get, "220 mail ESMTP\r\n");
  assertMatch(other.response, /^HTTP\/1\.1 502 [^]*no HTTP response\n$/);
  const head = await forwarded(
    server,
    (authority) => `HEAD http://${authority}/ HTTP/1.1\r\n\r\n`,
    "",
  );
  assertMatch(head.response, /^HTTP\/1\.1 502 [^]*\r\n\r\n$/);
});

Deno.test("what cannot be done is told with a status of HTTP and why, and in the event", async () => {
  await using server = await TestServer.open("proxy://:0?to-deny=10.0.0.0/8");
  const closed = freePort();
  const cases = [
    ["CONNECT 10.0.0.1:443 HTTP/1.1", 403, /10\.0\.0\.1: denied by to-deny/],
    [`CONNECT 127.0.0.1:${closed} HTTP/1.1`, 502, /connection refused/],
    [`GET http://127.0.0.1:${closed}/ HTTP/1.1`, 502, /connection refused/],
    ["CONNECT localhost HTTP/1.1", 400, /the target is not HOST:PORT/],
    ["CONNECT [fe80::1%25eth0]:80 HTTP/1.1", 400, /the target is not HOST:PORT/],
    ["GET / HTTP/1.1", 400, /this port is a proxy/],
    ["GET https://localhost/ HTTP/1.1", 400, /not one of http:/],
    ["GET http://me@localhost/ HTTP/1.1", 400, /not HOST:PORT/],
  ] as const;
  for (const [line, status, why] of cases) {
    using client = await server.connect();
    await send(client, `${line}\r\n\r\n`);
    const text = await readText(client);
    assertEquals(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), status, line);
    assertMatch(text, why);
    await server.event(
      "closed",
      ({ reason }) => reason.startsWith("refused: ") && why.test(reason),
    );
  }
});

Deno.test("a large response arrives whole, with backpressure from a client that does not read", async () => {
  await using server = await TestServer.open("proxy://:0");
  using target = Deno.listen({ hostname: LOCAL, port: 0 });
  using client = await server.connect();
  await send(client, `GET http://${LOCAL}:${target.addr.port}/ HTTP/1.0\r\n\r\n`);
  using accepted = await target.accept();
  const bytes = noise(4_000_000);
  const sending = send(accepted, "HTTP/1.0 200 OK\r\n\r\n")
    .then(() => send(accepted, bytes)).then(() => accepted.closeWrite());
  let length = 0;
  for await (const chunk of client.readable) length += chunk.length;
  await sending;
  const head = "HTTP/1.0 200 OK\r\nVia: 1.0 outlet\r\nConnection: close\r\n\r\n";
  assertEquals(length, head.length + bytes.length);
});
