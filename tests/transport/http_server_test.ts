/** An HTTP server whose limits hold for every client. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { nextTurn } from "../../src/scheduling/turn_budget.ts";
import { HttpClient } from "../../src/transport/http_client.ts";
import { HttpServer, type HttpServerOptions } from "../../src/transport/http_server.ts";
import { readAll, readUntil, send } from "../harness/bytes.ts";
import { Program, ROOT, run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

Deno.test("an HTTP server answers until it is disposed, and has the port that it is bound to", async () => {
  let url: string;
  {
    await using server = open();
    url = urlOf(server);
    assertEquals(await (await fetch(url)).text(), "hello\n");
  }
  await fetch(url).then(() => Promise.reject(new Error("still there")), () => {});
});

Deno.test("an HTTP server that cannot listen reports its purpose, the address and the reason", () => {
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = occupant.addr;
  const error = assertThrows(() => open({}, port), Error);
  assertMatch(
    error.message,
    /^cannot serve greetings on 127\.0\.0\.1:\d+: address already in use; stop what listens there/,
  );
});

testWith(
  ["curl"],
  "curl receives several answers over one connection, and sends bodies",
  async () => {
    await using server = open({
      answer: async (request) =>
        new Response(
          `${request.method} ${new URL(request.url).pathname} ${await request.text()}\n`,
        ),
    });
    const url = urlOf(server);
    const { stdout, stderr } = await run([
      ...["curl", "-sv", `${url}one`, "-d", "two", `${url}two`] as const,
      ...["--next", "-sI", `${url}three`],
    ]);
    assertMatch(stdout, /^POST \/one two\nPOST \/two two\nHTTP\/1\.1 200 OK\r\n/);
    assert(!/HEAD \/three/.test(stdout), "an answer to HEAD has no body");
    assertMatch(stderr, /Re-using existing connection/);
  },
);

Deno.test("pipelined requests are answered one at a time", async () => {
  let running = 0;
  let most = 0;
  await using server = open({
    answer: async (request) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve));
      running--;
      return new Response(`${new URL(request.url).pathname}\n`);
    },
  });
  using client = await connect(server);
  const paths = Array.from({ length: 16 }, (_, i) => `/${i}`);
  await send(client, paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
  const text = await readUntil(client, /\n\/15\n/);
  assertEquals(text.match(/(?<=\n)\/\d+(?=\n)/g), paths);
  assertEquals(most, 1);
});

Deno.test("requests are not read ahead of a client that does not read its answers", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { inOrder } = HttpClient.prototype;
  let parsed = 0;
  HttpClient.prototype.inOrder = function (answer) {
    parsed++;
    return inOrder.call(this, answer);
  };
  try {
    await using server = open({ answer: () => released.then(() => new Response("late\n")) });
    using client = await connect(server);
    const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const sent = send(client, request.repeat(1_000_000)).catch(() => {});
    while (parsed === 0) await nextTurn();
    // Without a limit, each turn would read hundreds more.
    for (let turn = 0; turn < 500; turn++) await nextTurn();
    assert(parsed < 3 * 16 * 1024 / request.length, `${parsed} requests wait`);
    client.close();
    release();
    await sent;
  } finally {
    HttpClient.prototype.inOrder = inOrder;
  }
});

Deno.test("a client that does not finish its request is closed after a timeout", async () => {
  await using server = open({ timeout: 100 });
  const halves = [
    "",
    "GET / HT",
    "GET / HTTP/1.1\r\nHost: x\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\ncontent-length: 9\r\n\r\nhalf",
    "POST / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf",
  ];
  for (const half of halves) {
    using client = await connect(server);
    await send(client, half);
    await readAll(client).catch(() => {});
  }
  assertEquals(server.cutOff, halves.length);
});

Deno.test("a client that sends nothing after its answer is closed after a timeout", async () => {
  await using server = open({ timeout: 100 });
  using client = await connect(server);
  await send(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  assertMatch(await textOf(client), /hello/);
  assertEquals(server.cutOff, 1);
});

Deno.test("a client that does not read its answer is closed after a timeout, and the rest is not generated", async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  await using server = open({
    timeout: 100,
    answer: () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
          cancel: () => resolve(),
        }),
      ),
  });
  using client = await connect(server);
  await send(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await cancelled;
  assertEquals(server.cutOff, 1);
});

Deno.test("when a client disconnects, the rest of its answer is not generated", async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  await using server = open({
    answer: () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("first\n")),
          cancel: () => resolve(),
        }),
      ),
  });
  {
    using client = await connect(server);
    await send(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await readUntil(client, /first/);
  }
  await cancelled;
});

Deno.test("at the connection limit, the connection that has been idle longest is closed for a new one", async () => {
  await using server = open({ maxConnections: 4 });
  const halves: Deno.TcpConn[] = [];
  for (let i = 0; i < 50; i++) {
    const half = await connect(server);
    await send(half, "GET / HTTP/1.1\r\n");
    halves.push(half);
    if (i % 10 === 9) assertEquals(await (await fetch(urlOf(server))).text(), "hello\n");
  }
  assert(server.cutOff >= 46, `${server.cutOff} were cut off`);
  for (const half of halves) half.close();
});

Deno.test("at the connection limit, connections with pending answers are kept, and a new one is closed", async () => {
  const { promise: answer, resolve } = Promise.withResolvers<Response>();
  let asked = 0;
  const all = Promise.withResolvers<void>();
  await using server = open({
    maxConnections: 4,
    answer: async () => {
      if (++asked === 4) all.resolve();
      return (await answer).clone();
    },
  });
  const answers = [1, 2, 3, 4].map(() => fetch(urlOf(server)));
  await all.promise;
  using late = await connect(server);
  assertEquals((await readAll(late).catch(() => new Uint8Array())).length, 0);
  resolve(new Response("at last\n"));
  for (const one of answers) assertEquals(await (await one).text(), "at last\n");
});

Deno.test("a request has exactly one host, and an absolute target must have the same one", async () => {
  await using server = open({ answer: ({ url }) => new Response(`url ${url}\n`) });
  const cases: [head: string, expected: RegExp][] = [
    ["GET /a HTTP/1.1\r\n", /^HTTP\/1\.1 400 /],
    ["GET /a HTTP/1.1\r\nHost: one\r\nHost: two\r\n", /^HTTP\/1\.1 400 .*more than one Host/s],
    ["GET http://two/a HTTP/1.1\r\nHost: one\r\n", /^HTTP\/1\.1 400 .*of another host/s],
    ["GET /a HTTP/1.1\r\nHost: a b\r\n", /^HTTP\/1\.1 400 /],
    ["GET http://one/a HTTP/1.1\r\nHost: one\r\n", /url http:\/\/one\/a\n/],
    ["GET //a/b HTTP/1.1\r\nHost: one\r\n", /url http:\/\/one\/\/a\/b\n/],
    ["GET /a HTTP/1.0\r\n", /url http:\/\/localhost\/a\n/],
  ];
  for (const [head, expected] of cases) {
    using client = await connect(server);
    await send(client, `${head}Connection: close\r\n\r\n`);
    assertMatch(await textOf(client), expected, head);
  }
});

Deno.test("input that is not HTTP is answered with 400, and the server continues", async () => {
  await using server = open();
  using client = await connect(server);
  await send(client, "\x16\x03\x01 is this HTTP?\r\n\r\n");
  assertMatch(await textOf(client), /^HTTP\/1\.1 400 Bad Request/);
  assertEquals(await (await fetch(urlOf(server))).text(), "hello\n");
});

Deno.test("many pipelined requests are answered in order", async () => {
  let asked = 0;
  await using server = open({ answer: () => new Response(`answer ${++asked}\n`) });
  using client = await connect(server);
  const REQUEST_COUNT = 1_000;
  const one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const sent = send(client, one.repeat(REQUEST_COUNT - 1) + last);
  const text = await textOf(client);
  await sent;
  const answers = [...text.matchAll(/answer (\d+)/g)].map(([, number]) => Number(number));
  assertEquals(answers, Array.from({ length: REQUEST_COUNT }, (_, i) => i + 1));
});

Deno.test("a truncated answer is recognisable as such", async () => {
  await using server = open({
    answer: () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new TextEncoder().encode("half"));
            controller.error(new Error("broken"));
          },
        }),
      ),
  });
  const text = await fetch(urlOf(server)).then((answer) => answer.text()).catch(() => "broken off");
  assertEquals(text, "broken off");
});

testWith(
  ["sh"],
  "an HTTP server answers even if its process has no free descriptor",
  async () => {
    await using server = new Program([
      ...["sh", "-c", 'ulimit -n 256; exec "$0" "$@"', Deno.execPath(), "run", "-A"] as const,
      `${ROOT}tests/harness/exhausted_server.ts`,
    ]);
    const [, port] = await server.prints(/full at (\d+)/);
    for (let time = 0; time < 20; time++) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
      assertEquals(await answer.text(), "still here\n");
    }
  },
);

function open(options: Partial<HttpServerOptions> = {}, port = 0): HttpServer {
  return HttpServer.open({ address: { hostname: "127.0.0.1", port } }, {
    noun: "greetings",
    maxConnections: 16,
    answer: () => new Response("hello\n"),
    ...options,
  });
}

function urlOf({ address }: HttpServer): string {
  return `http://127.0.0.1:${address.port}/`;
}

function connect({ address }: HttpServer): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: address.port });
}

async function textOf(client: Deno.Conn): Promise<string> {
  return new TextDecoder().decode(await readAll(client));
}
