/** The proxy with programs of others as clients and as the next proxy, and with outlet's own client. */
import { assertEquals, assertMatch } from "@std/assert";
import { runTestClient } from "../../harness/client.ts";
import { freePort, isOpen } from "../../harness/ports.ts";
import { Program, run } from "../../harness/program.ts";
import { TestServer } from "../../harness/server.ts";
import { TemporaryDirectory } from "../../harness/temporary_directory.ts";
import { testWith } from "../../harness/tools.ts";

const LOCAL = "127.0.0.1";
const USERS = "joe:$2y$04$MNXHCYEewzA88fD4aJQW5.RbkGIhcR0/jRalPW5ERnIsUPmGO7YGq\n";

/** A web server with one page, `hello`. */
function website(): { readonly port: number } & AsyncDisposable {
  const server = Deno.serve(
    { hostname: LOCAL, port: 0, onListen() {} },
    async (request) => new Response(`hello ${await request.text()}`),
  );
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function curl(proxy: string, url: string, ...more: string[]): Promise<string> {
  const { stdout, stderr } = await run([
    ...["curl", "-sS", "--max-time", "60", "-x", proxy, ...more, url] as [string, ...string[]],
  ]);
  return stdout + stderr;
}

testWith(["curl"], "curl fetches through every protocol, with and without a password", async () => {
  await using site = website();
  await using folder = await TemporaryDirectory.make();
  await Deno.writeTextFile(`${folder.path}/users`, USERS);
  await using server = await TestServer.open(
    "proxy://:0",
    `proxy://:0?auth=${folder.path}/users`,
    "proxy+ws://:0",
  );
  const url = `http://localhost:${site.port}/`;
  const open = `${LOCAL}:${server.port()}`;
  for (const scheme of ["socks4", "socks4a", "socks5", "socks5h", "http"]) {
    assertEquals(await curl(`${scheme}://${open}`, url), "hello ", scheme);
  }
  assertEquals(await curl(`http://${open}`, url, "--proxytunnel"), "hello ");
  const locked = `${LOCAL}:${server.port(1)}`;
  for (const scheme of ["socks5", "socks5h", "http"]) {
    assertEquals(await curl(`${scheme}://joe:s3cret@${locked}`, url), "hello ", scheme);
    assertMatch(
      await curl(`${scheme}://joe:wrong@${locked}`, url, "-w", "%{http_code}"),
      /407|rejected/,
    );
  }
  assertEquals(await curl(`http://joe:s3cret@${locked}`, url, "--proxy-anyauth"), "hello ");
  assertMatch(await curl(`socks5://${locked}`, url), /SOCKS5|No authentication/);
});

testWith(["curl"], "curl posts and uploads through requests with a whole URL", async () => {
  await using site = website();
  await using server = await TestServer.open("proxy://:0");
  const proxy = `http://${LOCAL}:${server.port()}`;
  const url = `http://${LOCAL}:${site.port}/`;
  assertEquals(await curl(proxy, url, "-d", "posted"), "hello posted");
  const chunked = ["-H", "Transfer-Encoding: chunked", "-d", "in chunks"];
  assertEquals(await curl(proxy, url, ...chunked), "hello in chunks");
  const waits = ["-H", "Expect: 100-continue", "-d", "expected"];
  assertEquals(await curl(proxy, url, ...waits), "hello expected");
});

testWith(["curl", "openssl"], "curl speaks to the proxy over TLS", async () => {
  await using site = website();
  await using folder = await TemporaryDirectory.make();
  const [cert, key] = [`${folder.path}/cert`, `${folder.path}/key`];
  const made = await run([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...["-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-days", "2"],
  ] as [string, ...string[]]);
  assertEquals(made.code, 0, made.stderr);
  await using server = await TestServer.open(
    `proxy+tls://:0?tls-cert=${cert}&tls-key=${key}`,
  );
  const proxy = `https://${LOCAL}:${server.port()}`;
  const url = `http://${LOCAL}:${site.port}/`;
  assertEquals(await curl(proxy, url, "--proxy-insecure"), "hello ");
  assertEquals(await curl(proxy, url, "--proxy-insecure", "--proxytunnel"), "hello ");
});

Deno.test("outlet's own client goes through it with every protocol, and names its refusals", async () => {
  await using server = await TestServer.open("proxy://:0", "daytime://:0");
  const closed = freePort();
  for (const scheme of ["socks4", "socks4a", "socks5", "socks5h", "http"]) {
    const proxy = ["--proxy", `${scheme}://${LOCAL}:${server.port()}`];
    const { received } = await runTestClient(
      ["localhost", String(server.port(1)), ...proxy, "--eof", "wait"],
    );
    assertMatch(received, /GMT/, scheme);
    const { error } = await runTestClient([LOCAL, String(closed), ...proxy]);
    assertMatch(error, /refused|rejected|502/, scheme);
  }
});

testWith(["ncat"], "ncat goes through it with SOCKS 4, SOCKS 5 and HTTP", async () => {
  await using server = await TestServer.open("proxy://:0", "daytime://:0");
  for (const type of ["socks4", "socks5", "http"]) {
    const { stdout, stderr } = await run([
      ...["ncat", "--proxy", `${LOCAL}:${server.port()}`, "--proxy-type", type],
      ...["--recv-only", LOCAL, String(server.port(1))],
    ] as [string, ...string[]]);
    assertMatch(stdout, /GMT/, type + stderr);
  }
});

testWith(["ncat"], "ncat logs in with HTTP and SOCKS 5", async () => {
  await using folder = await TemporaryDirectory.make();
  await Deno.writeTextFile(`${folder.path}/users`, USERS);
  await using server = await TestServer.open(
    `proxy://:0?auth=${folder.path}/users`,
    "daytime://:0",
  );
  for (const type of ["socks5", "http"]) {
    const { stdout, stderr } = await run([
      ...["ncat", "--proxy", `${LOCAL}:${server.port()}`, "--proxy-type", type],
      ...["--proxy-auth", "joe:s3cret", "--recv-only", LOCAL, String(server.port(1))],
    ] as [string, ...string[]]);
    assertMatch(stdout, /GMT/, type + stderr);
  }
});

/** Fetches through outlet's proxy, which goes through the proxy at this port. */
async function chained(port: number, scheme: string): Promise<void> {
  await using site = website();
  await using server = await TestServer.open(`proxy://:0?via=${scheme}://${LOCAL}:${port}`);
  const url = `http://${LOCAL}:${site.port}/`;
  const own = `${LOCAL}:${server.port()}`;
  for (const proxy of [`socks5://${own}`, `http://${own}`]) {
    assertEquals(await curl(proxy, url), "hello ");
  }
  const { notes } = await server.event("closed");
  assertEquals(
    notes?.upstream,
    `${scheme.replace(/\/\/.*/, "//").replace("://", "")} proxy ${LOCAL}:${port}`,
  );
  assertMatch(await curl(`socks5://${own}`, `http://${LOCAL}:${freePort()}/`), /SOCKS5/);
}

testWith(["curl", "microsocks"], "a chain goes on through microsocks", async () => {
  const port = freePort();
  await using _ = new Program(["microsocks", "-i", LOCAL, "-p", String(port)]);
  await isOpen(port);
  await chained(port, "socks5");
  await chained(port, "socks5h");
});

testWith(["curl", "tinyproxy"], "a chain goes on through tinyproxy", async () => {
  await using folder = await TemporaryDirectory.make();
  const port = freePort();
  await Deno.writeTextFile(`${folder.path}/conf`, `Port ${port}\nListen ${LOCAL}\n`);
  await using _ = new Program(["tinyproxy", "-d", "-c", `${folder.path}/conf`]);
  await isOpen(port);
  await chained(port, "http");
});

testWith(["curl", "danted"], "a chain goes on through dante, with SOCKS 4 and 5", async () => {
  await using folder = await TemporaryDirectory.make();
  const port = freePort();
  await Deno.writeTextFile(
    `${folder.path}/conf`,
    [
      "logoutput: stderr",
      `internal: ${LOCAL} port = ${port}`,
      "external: lo",
      "socksmethod: none",
      "clientmethod: none",
      "client pass { from: 0/0 to: 0/0 }",
      "socks pass { from: 0/0 to: 0/0 }",
      "",
    ].join("\n"),
  );
  await using _ = new Program(["danted", "-f", `${folder.path}/conf`]);
  await isOpen(port);
  await chained(port, "socks5");
  await chained(port, "socks4");
});
