/** The console answers clients that know its token, and refuses all other requests. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { newToken, tokenFrom } from "../../src/console/credentials.ts";
import { PAGE_FILES } from "../../src/console/page_files.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { readAll, send } from "../harness/bytes.ts";
import { TestConsole, TOKEN } from "../harness/console.ts";
import { configOf } from "../harness/server.ts";

const JSON_BODY = { "content-type": "application/json" };

Deno.test("the API accepts only the right token", async (t) => {
  await using console = await TestConsole.open("echo://:0");
  const statusWith = async (headers: Record<string, string>) => {
    const answer = await fetch(`${console.origin}/api/v1/outlets`, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  const cases: [string, Record<string, string>, number][] = [
    ["the token", { authorization: `Bearer ${TOKEN}` }, 200],
    ["nothing", {}, 401],
    ["a wrong token", { authorization: "Bearer wrong" }, 401],
    ["the beginning of the token", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, 401],
    ["another scheme", { authorization: `Basic ${btoa(`x:${TOKEN}`)}` }, 401],
    ["a cookie that holds the token itself", { cookie: cookieOf(console, TOKEN) }, 401],
    ["an empty cookie", { cookie: cookieOf(console, "") }, 401],
  ];
  for (const [what, headers, status] of cases) {
    await t.step(what, async () => assertEquals(await statusWith(headers), status));
  }
});

Deno.test("the token in the printed URL is exchanged for a cookie, and removed from the address", async () => {
  await using console = await TestConsole.open("echo://:0");
  const answer = await fetch(console.console.url, { redirect: "manual" });
  await answer.body?.cancel();
  assertEquals([answer.status, answer.headers.get("location")], [303, "/"]);
  const cookie = answer.headers.get("set-cookie")!;
  assertMatch(
    cookie,
    /^outlet-console-\d+=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  assert(!cookie.includes(TOKEN));
  assertEquals(answer.headers.get("referrer-policy"), "no-referrer");
  const inside = await fetch(`${console.origin}/api/v1/outlets`, {
    headers: { cookie: cookie.split(";")[0]! },
  });
  assertEquals((await inside.json()).length, 1);
});

Deno.test("a wrong token in the URL or in the form does not sign in", async () => {
  await using console = await TestConsole.open("echo://:0");
  const opened = await fetch(`${console.origin}/?token=wrong`, { redirect: "manual" });
  await opened.body?.cancel();
  const typed = await fetch(`${console.origin}/api/v1/session`, {
    method: "POST",
    body: JSON.stringify({ token: "wrong" }),
    headers: JSON_BODY,
  });
  await typed.body?.cancel();
  for (const { status, headers } of [opened, typed]) {
    assertEquals([status, headers.get("set-cookie")], [403, null]);
  }
});

Deno.test("a Host header with another name is refused, which prevents DNS rebinding", async () => {
  await using console = await TestConsole.open("echo://:0");
  const { port } = console;
  const statusAt = async (host: string) => {
    const answer = await console.raw(
      `GET /api/v1/outlets HTTP/1.1\nHost: ${host}\nAuthorization: Bearer ${TOKEN}\nConnection: close\n\n`,
    );
    return Number(answer.split(" ")[1]);
  };
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`]) {
    assertEquals(await statusAt(host), 200, host);
  }
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1:1", `127.0.0.2:${port}`]) {
    assertEquals(await statusAt(host), 421, host);
  }
});

Deno.test("requests from pages of other origins are refused, even with a valid token", async () => {
  await using console = await TestConsole.open("echo://:0");
  const foreign = [
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: `http://127.0.0.1:${console.port + 1}` },
    { origin: `https://127.0.0.1:${console.port}` },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    const answer = await console.ask("/api/v1/outlets", { headers: headers as HeadersInit });
    await answer.body?.cancel();
    assertEquals(answer.status, 403, JSON.stringify(headers));
  }
  const own = await console.ask("/api/v1/outlets", { headers: { origin: console.origin } });
  await own.body?.cancel();
  assertEquals(own.status, 200);
});

Deno.test("a request body is JSON of the expected form, and limited in size", async (t) => {
  await using console = await TestConsole.open("echo://:0");
  const form = "application/x-www-form-urlencoded";
  const cases: [what: string, body: string, type: string, status: number][] = [
    ["a form", "service=echo", form, 415],
    ["text", '{"service":"echo"}', "text/plain", 415],
    ["invalid JSON", "{", "application/json", 400],
    ["an unknown key", '{"service":"echo","port":0,"x":1}', "application/json", 400],
    ["too large", `{"service":"${"x".repeat(300_000)}"}`, "application/json", 413],
    ["JSON", '{"service":"echo","port":0}', "application/json; charset=utf-8", 201],
  ];
  for (const [what, body, type, status] of cases) {
    await t.step(what, async () => {
      const answer = await console.ask("/api/v1/outlets", {
        method: "POST",
        body,
        headers: { "content-type": type },
      });
      await answer.body?.cancel();
      assertEquals(answer.status, status);
    });
  }
});

Deno.test("every request that changes something needs a JSON content type, even without a body", async () => {
  await using console = await TestConsole.open("echo://:0");
  using _client = await console.server.connect();
  const { connection } = await console.server.event("opened");
  const { id } = await console.post("/api/v1/clients", {
    host: "127.0.0.1",
    port: console.server.port(),
  });
  const acts = [`connections/${connection}/end`, `clients/${id}/end`, `clients/${id}/close`];
  for (const act of acts) {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", ""]) {
      const answer = await console.ask(`/api/v1/${act}`, {
        method: "POST",
        body: new TextEncoder().encode("{}"),
        headers: type === "" ? {} : { "content-type": type },
      });
      await answer.body?.cancel();
      assertEquals(answer.status, 415, `${act} with ${type}`);
    }
  }
  await console.server.event("opened", (event) => event.connection !== connection);
  for (const act of acts) await console.post(`/api/v1/${act}`);
});

Deno.test("a request has exactly one host, and an absolute target must have the same one", async () => {
  await using console = await TestConsole.open("echo://:0");
  const { port } = console;
  const host = `Host: 127.0.0.1:${port}`;
  const cases: [head: string, status: number][] = [
    ["GET /api/v1/outlets HTTP/1.1", 400],
    ["GET /api/v1/outlets HTTP/1.0", 400],
    [`GET /api/v1/outlets HTTP/1.1\n${host}\n${host}`, 400],
    [`GET http://evil.example/api/v1/outlets HTTP/1.1\n${host}`, 400],
    [`GET http://127.0.0.1:${port}/api/v1/outlets HTTP/1.1\n${host}`, 200],
  ];
  for (const [head, status] of cases) {
    const answer = await console.raw(
      `${head}\nAuthorization: Bearer ${TOKEN}\nConnection: close\n\n`,
    );
    assertEquals(Number(answer.split(" ")[1]), status, head);
  }
});

Deno.test("the length of a filter is limited in every request", async () => {
  await using console = await TestConsole.open("echo://:0");
  const filter = "a ".repeat(90_000);
  const close = { method: "POST", headers: { "content-type": "application/json" } };
  const cases: [path: string, init: RequestInit, status: number][] = [
    [`/api/v1/connections?filter=${filter.slice(0, 202)}`, {}, 400],
    ["/api/v1/connections/close", { ...close, body: JSON.stringify({ filter }) }, 400],
    [`/api/v1/connections?filter=${"a".repeat(20_000)}`, {}, 400],
  ];
  for (const [path, init, status] of cases) {
    const answer = await console.ask(path, init);
    await answer.body?.cancel();
    assertEquals(answer.status, status);
  }
});

Deno.test("no path leads to a file outside of the page", async () => {
  await using console = await TestConsole.open("echo://:0");
  const paths = [
    "/../deno.json",
    "/%2e%2e/deno.json",
    "/..%2f..%2fetc%2fpasswd",
    "/page/app.js",
    "/constructor",
    "//etc/passwd",
    "/app.js/../../deno.json",
    "/app.js%00.html",
  ];
  for (const path of paths) {
    const answer = await console.raw(
      `GET ${path} HTTP/1.1\nHost: 127.0.0.1:${console.port}\nConnection: close\n\n`,
    );
    assertMatch(answer, /^HTTP\/1\.1 404 /, path);
    assert(!/"imports"|root:/.test(answer), path);
  }
});

Deno.test("every answer has headers that forbid foreign scripts, framing and caching", async () => {
  await using console = await TestConsole.open("echo://:0");
  for (const path of ["/", "/app.js", "/api/v1/outlets", "/no-such-page"]) {
    const answer = await console.ask(path);
    await answer.body?.cancel();
    const policy = answer.headers.get("content-security-policy")!;
    assertMatch(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert(!/unsafe|\*|data:|https?:/.test(policy));
    assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
    assertEquals(answer.headers.get("access-control-allow-origin"), null);
  }
});

Deno.test("the page has no inline script or style, and loads nothing from other servers", async () => {
  await using console = await TestConsole.open("echo://:0");
  const page = await (await console.ask("/")).text();
  assert(!/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/i.test(page));
  for (const name of PAGE_FILES.filter((name) => /\.(html|css)$/.test(name))) {
    const text = await (await console.ask(`/${name}`)).text();
    assert(!/(src|href)="https?:|url\(|@import/.test(text), name);
  }
});

Deno.test("an event stream whose client does not keep up is closed", async () => {
  await using console = await TestConsole.open("echo://:0");
  using reader = await Deno.connect({ hostname: "127.0.0.1", port: console.port });
  await send(
    reader,
    `GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:${console.port}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
  );
  const { address } = [...console.server.server.outlets][0]!;
  const peer = { hostname: "127.0.0.1", port: 1 };
  const text = "x".repeat(64 * 1024);
  for (let i = 0; i < 500; i++) {
    console.server.eventBus.publish({
      event: "service-output",
      id: 1,
      outlet: "echo",
      address,
      connection: 1,
      peer,
      text,
    });
    await new Promise((resolve) => setTimeout(resolve));
  }
  // What the kernel has buffered is still received; then the stream ends, without later events.
  const { length } = await readAll(reader).catch(() => new Uint8Array());
  assert(length < 500 * text.length, `${length} bytes were kept for a reader that did not read`);
});

Deno.test("a console that other machines can reach needs TLS or an explicit exception", () => {
  assertThrows(
    () => configOf(["echo://:0", "--console", "0.0.0.0:7001"]),
    UsageError,
    "add console-cert and console-key, or console-insecure",
  );
  configOf(["echo://:0", "--console", "0.0.0.0:7001", "--console-insecure"]);
  configOf(["echo://:0", "--console", "[::1]:7001"]);
});

Deno.test("a token file is created readable by its owner only, and reused", async () => {
  const folder = await Deno.makeTempDir({ prefix: "outlet-token-" });
  try {
    const token = await tokenFrom(`${folder}/token`);
    assertEquals((await Deno.stat(`${folder}/token`)).mode! & 0o777, 0o600);
    assertEquals(await tokenFrom(`${folder}/token`), token);
    await Deno.writeTextFile(`${folder}/short`, "hunter2\n");
    await assertRejects(() => tokenFrom(`${folder}/short`), Error, "16 or more");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tokens are long, and differ", () => {
  const tokens = Array.from({ length: 100 }, newToken);
  assertEquals(new Set(tokens).size, 100);
  for (const token of tokens) assertMatch(token, /^[\w-]{43}$/);
});

function cookieOf({ port }: TestConsole, value: string): string {
  return `outlet-console-${port}=${value}`;
}
