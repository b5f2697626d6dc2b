/** Routing by the server name of a ClientHello, with the programs of others at both ends. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readAll, readText, readUntil, send } from "../harness/bytes.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { clientHello, inRecords } from "../harness/client_hello.ts";
import { haproxy, nginx, opensslReverser } from "../harness/daemons.ts";
import { Program, run } from "../harness/program.ts";
import { configOf, from, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";
import { formatAddress } from "../../src/endpoint/address.ts";
import { preflight } from "../../src/server/preflight.ts";

/** nginx that answers with this word, and the server name that it was asked for. */
async function answering(word: string, authority: CertificateAuthority) {
  const { cert, key } = await authority.sign({
    extensions: ["subjectAltName=DNS:*.test,DNS:a.b.test"],
  });
  return await nginx((port) => [
    `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};`,
    `return "${word} $ssl_server_name\\n"; }`,
  ]);
}

/** What openssl gets from a server that it asks for this name. */
async function asked(port: number, name: string | undefined, ...words: string[]): Promise<string> {
  const { stdout } = await run([
    ...["openssl", "s_client", "-quiet", "-connect", `127.0.0.1:${port}`] as const,
    ...name === undefined ? ["-noservername"] : ["-servername", name],
    ...words,
  ]);
  return stdout.trim();
}

testWith(["openssl", "nginx"], "clients go to the upstream of their server name", async () => {
  await using authority = await CertificateAuthority.make();
  await using one = await answering("one", authority);
  await using wild = await answering("wild", authority);
  await using deep = await answering("deep", authority);
  await using others = await answering("others", authority);
  const at = ({ port }: { readonly port: number }) => `127.0.0.1:${port}`;
  const sni = `www.test=${at(one)},*.test=${at(wild)},*.b.test=${at(deep)}`;
  await using server = await TestServer.open(`forward://:0?sni=${sni}&sni-default=${at(others)}`);
  const port = server.port();
  assertEquals(await asked(port, "www.test"), "one www.test");
  assertEquals(await asked(port, "WWW.Test"), "one WWW.Test");
  assertEquals(await asked(port, "x.test"), "wild x.test");
  assertEquals(await asked(port, "x.y.test"), "wild x.y.test");
  assertEquals(await asked(port, "a.b.test", "-tls1_2"), "deep a.b.test");
  assertEquals(await asked(port, "test"), "others test");
  assertEquals(await asked(port, undefined), "others");
  const routes = server.events.flatMap((event) =>
    event.event === "closed" ? [[event.notes?.sni, event.notes?.route]] : []
  );
  assertEquals(routes.slice(2, 5), [["x.test", "*.test"], ["x.y.test", "*.test"], [
    "a.b.test",
    "*.b.test",
  ]]);
  const last = await server.event("closed", ({ notes }) => notes?.sni === undefined);
  assertEquals(last.notes, { route: "sni-default", upstream: at(others) });
});

testWith(
  ["openssl", "curl", "ncat", "nginx"],
  "curl and ncat are routed; others are closed",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using upstream = await answering("one", authority);
    await using server = await TestServer.open(
      `forward://:0?sni=a.b.test=127.0.0.1:${upstream.port}`,
    );
    const port = server.port();
    const curl = (name: string) =>
      run([
        ...["curl", "-sS", "--http0.9", "--cacert", authority.cert] as const,
        ...["--resolve", `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`],
      ] as [string, ...string[]]);
    assertEquals((await curl("a.b.test")).stdout, "one a.b.test\n");
    const refused = await curl("other.test");
    assertEquals(refused.code, 35);
    assertMatch(refused.stderr, /unrecognized name/);
    const { reason, notes } = await server.event(
      "closed",
      ({ notes }) => notes?.sni === "other.test",
    );
    assertEquals({ reason, notes }, {
      reason: "refused: no route for its server name",
      notes: { sni: "other.test" },
    });
    const words = [
      "--ssl",
      "--ssl-servername",
      "a.b.test",
      "--recv-only",
      "127.0.0.1",
      String(port),
    ];
    assertEquals((await run(["ncat", ...words])).stdout, "one a.b.test\n");
  },
);

testWith(["openssl"], "a ClientHello split over segments and records is put together", async () => {
  await using upstream = await TestServer.open("echo://:0");
  await using server = await TestServer.open(
    `forward://:0?sni=a.test=127.0.0.1:${upstream.port()}`,
  );
  for (const [fragment, segment] of [[1, 1], [1, 7], [3, 1000], [16_384, 1], [100, 105]] as const) {
    using client = await server.connect();
    const hello = inRecords(clientHello("a.test", { padding: 300 }), fragment);
    client.setNoDelay(true);
    for (let at = 0; at < hello.length; at += segment) {
      await send(client, hello.subarray(at, at + segment));
    }
    await send(client, "and more");
    await client.closeWrite();
    assertEquals(
      await readAll(client),
      Uint8Array.of(...hello, ...new TextEncoder().encode("and more")),
    );
    const { bytesIn, bytesOut } = await server.event("closed", from(client));
    assertEquals([bytesIn, bytesOut], [hello.length + 8, hello.length + 8]);
  }
});

Deno.test("what is no ClientHello, too large or too slow is refused", async () => {
  await using upstream = await TestServer.open("echo://:0");
  await using server = await TestServer.open(
    `forward://:0?sni=a.test=127.0.0.1:${upstream.port()}&inspect-timeout=1s`,
  );
  const reasonOf = async (bytes: Uint8Array | string, { ends = true } = {}): Promise<string> => {
    using client = await server.connect();
    await send(client, bytes);
    if (ends) await client.closeWrite().catch(() => {});
    await readAll(client).catch(() => {});
    return (await server.event("closed", from(client))).reason;
  };
  const hello = inRecords(clientHello("a.test"));
  assertEquals(await reasonOf(""), "refused: not TLS: it sent nothing in 1.00 s");
  assertEquals(await reasonOf("", { ends: false }), "refused: not TLS: it sent nothing in 1.00 s");
  assertEquals(await reasonOf("GET / HTTP/1.1\r\n"), "refused: not TLS: it speaks HTTP");
  assertEquals(
    await reasonOf(hello.subarray(0, 40)),
    "refused: no whole ClientHello before it ended",
  );
  assertEquals(
    await reasonOf(hello.subarray(0, 40), { ends: false }),
    "refused: no whole ClientHello in 1.00 s",
  );
  assertEquals(
    await reasonOf(inRecords(clientHello("a.test", { padding: 20_000 }))),
    "refused: its ClientHello is larger than 16.0 KiB",
  );
  const empty = Uint8Array.of(0x16, 3, 1, 0, 1, 1, 0x16, 3, 1, 0, 0);
  assertEquals(await reasonOf(empty), "refused: its ClientHello is invalid");
  const records = inRecords(clientHello("a.test", { padding: 4_000 }), 1);
  assertEquals(await reasonOf(records), "refused: its ClientHello is larger than 16.0 KiB");
  const noName = inRecords(clientHello(undefined));
  assertEquals(await reasonOf(noName), "refused: no route for clients without server name");
  const bad = inRecords(clientHello("\x1b[2J"));
  assertEquals(await reasonOf(bad), "refused: no route for clients without server name");
});

testWith(
  ["openssl", "haproxy"],
  "PROXY headers come in and go out around the ClientHello",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    const pem = `${authority.folder}/pair.pem`;
    await Deno.writeTextFile(pem, await Deno.readTextFile(cert) + await Deno.readTextFile(key));
    await using behind = await haproxy((port) => [
      ...["frontend test", "mode http", `bind 127.0.0.1:${port} accept-proxy ssl crt ${pem}`],
      `http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[ssl_fc_sni]"`,
    ]);
    await using server = await TestServer.open(
      `forward://:0?sni=localhost=127.0.0.1:${behind.port}&accept-proxy&send-proxy=v2&check=60s` +
        "&connect-timeout=60s",
    );
    await using front = await haproxy((port) => [
      ...["listen test", "mode tcp", `bind 127.0.0.1:${port}`],
      `server s 127.0.0.1:${server.port()} send-proxy-v2`,
    ]);
    await using client = new Program([
      ...["openssl", "s_client", "-quiet", "-connect", `127.0.0.1:${front.port}`] as const,
      ...["-servername", "localhost", "-CAfile", authority.cert],
    ]);
    await client.type("GET / HTTP/1.0\r\n\r\n");
    const [, address] = await client.prints(/(127\.0\.0\.1:\d+) localhost/);
    await server.event("opened", ({ peer }) => formatAddress(peer) === address);
  },
);

testWith(
  ["openssl"],
  "upstreams of a name share its clients, and stand in for each other",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using upstream = await opensslReverser(await authority.sign());
    using unused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port: closed } = unused.addr;
    unused.close();
    await using server = await TestServer.open(
      `forward://:0?sni=a.test=127.0.0.1:${closed},a.test=127.0.0.1:${upstream.port}&balance=first`,
    );
    await using client = new Program([
      ...["openssl", "s_client", "-quiet", "-servername", "a.test"] as const,
      ...["-connect", `127.0.0.1:${server.port()}`],
    ]);
    await client.type("hello\n");
    await client.prints(/olleh/);
    assertMatch((await server.event("failed")).reason, /connection refused/);
  },
);

Deno.test("what cannot be had of server names is refused in words", async () => {
  const refused = async (words: string, reason: RegExp) => {
    const error = await assertRejects(
      async () => await preflight(configOf(words.split(" "))),
      Error,
    );
    assertMatch(error.message, reason);
  };
  const cases: readonly (readonly [string, RegExp])[] = [
    ["sni=a.test=b:1&to=c:1", /to and sni exclude each other$/],
    ["sni-default=b:1", /sni-default needs sni$/],
    [
      "to=b:1&inspect-timeout=1s",
      /inspect-timeout and to exclude|inspect-timeout needs sni or route$/,
    ],
    ["sni=a.test=b:1&inspect-timeout=0", /inspect-timeout cannot be 0: it must be positive$/],
    [
      "sni=a.test=tls://b:1",
      /sni: the client's TLS is passed on .* the upstream is b:1, without TLS$/,
    ],
    [
      "sni=a.test=b:1&sni-default=wss://b:1",
      /sni-default: the client's TLS .* ws:\/\/b:1\/, without TLS$/,
    ],
    ["sni=a.test=b:1&tls&tls-self-signed", /sni and tls exclude each other$/],
    ["sni=a.test", /expected HOST=UPSTREAM or \*\.HOST=UPSTREAM/],
    ["sni=10.0.0.1=b:1", /"10\.0\.0\.1": clients ask for names, not for addresses$/],
    ["sni=*=b:1", /for all other names, use sni-default$/],
    ["sni=www.*=b:1", /a wildcard is a whole first label, such as \*\.example\.org$/],
    ["sni=a.test=b", /"b": expected HOST:PORT/],
    [
      "sni=a.test=b:1&route=tls=c:1",
      /route: sni routes TLS already: use sni-default instead of tls=$/,
    ],
    ["sni=a.test=b:1&balance=first", /balance needs several upstreams for the same clients$/],
    ["sni=a.test=b:1&to-tls-insecure", /to-tls-insecure needs an upstream with TLS/],
    ["check=1s", /forward needs an upstream: to, a HOST:PORT; or sni or route$/],
    ["sni=a.test=127.0.0.1:7300", /forward to itself/],
  ];
  for (const [query, reason] of cases) await refused(`forward://127.0.0.1:7300?${query}`, reason);
  configOf(["forward://:1?sni=a.test=b:1,a.test=c:1&balance=first"]);
  configOf(["forward://:1", "--sni", "bücher.test=b:1"]);
});

Deno.test("names are passed on over a Unix socket, too", async () => {
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  await using _upstream = await TestServer.open(`echo+unix://${path}`);
  await using server = await TestServer.open(`forward://:0?sni=*.test=unix:${path}`);
  using client = await server.connect();
  const hello = inRecords(clientHello("a.test"));
  await send(client, hello);
  await send(client, "end\n");
  assertMatch(await readUntil(client, /end\n/), /a\.test/);
  await client.closeWrite();
  assertEquals(await readText(client), "");
});
