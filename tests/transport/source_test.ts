/** Where connections come from: an address or a port of one's own choice, or one version of IP. */
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { connect } from "../../src/library/client.ts";
import { preflight } from "../../src/server/preflight.ts";
import { noise, readAll, readUntil, send } from "../harness/bytes.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { runTestClient } from "../harness/client.ts";
import { opensslReverser } from "../harness/daemons.ts";
import { freePort } from "../harness/ports.ts";
import { Program } from "../harness/program.ts";
import { configOf, TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** What a client of an echo server gets, and where the server saw it come from. */
async function seen(server: TestServer, ...words: string[]): Promise<string> {
  const { received: shown, error } = await runTestClient(
    [`127.0.0.1:${server.port()}`, ...words],
    "hello\n",
  );
  assertEquals([shown, error], ["hello\n", ""]);
  const { peer } = await server.event("closed");
  return "hostname" in peer ? `${peer.hostname}:${peer.port}` : "";
}

Deno.test("a client comes from the address and the port that it was told", async () => {
  const port = freePort();
  for (
    const [source, pattern] of [
      ["127.0.0.7", /^127\.0\.0\.7:\d+$/],
      [`:${port}`, new RegExp(`^127.0.0.1:${port}$`)],
      [`127.0.0.8:${port}`, new RegExp(`^127.0.0.8:${port}$`)],
    ] as const
  ) {
    await using server = await TestServer.open("echo://:0");
    assertMatch(await seen(server, "--source", source), pattern);
  }
});

testWith(["ncat"], "ncat sees where a client and a probe come from", async () => {
  for (const words of [["-s", "127.0.0.9"], ["-s", "127.0.0.9", "-z"]]) {
    const port = freePort();
    await using ncat = new Program(["ncat", "-n", "-v", "-l", "127.0.0.1", `${port}`]);
    await ncat.logs(/Listening on/);
    await runTestClient([`127.0.0.1:${port}`, ...words]);
    await ncat.logs(/from 127\.0\.0\.9/);
  }
});

Deno.test("what is wrong with a source is told as such, not as a fault of the target", async () => {
  await using server = await TestServer.open("echo://:0");
  const target = `127.0.0.1:${server.port()}`;
  const away = await runTestClient([target, "--source", "192.0.2.1"]);
  assertMatch(away.error, /cannot come from 192\.0\.2\.1: no interface of this machine has that/);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const used = await runTestClient([target, "--source", `127.0.0.1:${port}`]);
  assertMatch(used.error, new RegExp(`come from 127.0.0.1:${port}: the port is in use`));
  const silent = await runTestClient([`127.0.0.1:${freePort()}`, "--source", "127.0.0.7"]);
  assertMatch(silent.error, /connection refused: nothing listens on that port of this machine/);
});

const WRONG: readonly (readonly [words: string, reason: RegExp])[] = [
  ["h 1 -4 -6", /^-4 and -6|ipv4 and --ipv6 exclude each other/],
  ["::1 1 -4", /^--ipv4: ::1 is no IPv4 address, so it cannot be reached from IPv4$/],
  ["127.0.0.1 1 --source ::1", /127\.0\.0\.1 is no IPv6 address.* from ::1$/],
  ["h 1 --source ::1 -4", /^--source: ::1 is no IPv4 address$/],
  ["unix:/x --source 127.0.0.1", /^--source: unix:\/x has no IP address to come from$/],
  ["h 1 --source somewhere", /^--source "somewhere": "somewhere" is no IP address/],
  ["h 1 --source 127.0.0.1:0", /port "0": leave it out, and the system chooses one/],
  ["h 1 --source fe80::1", /a link-local address needs its interface/],
  ["h 1 --bench --source :4000", /^--source: a port is of one connection, and --bench makes many$/],
  ["h 1 -p 4000", /--source :PORT sets the local port/],
];

for (const [words, reason] of WRONG) {
  Deno.test(`"outlet client ${words}" is refused in words`, () => {
    assertMatch(assertThrows(() => parseClientArgs(words.split(" ")), Error).message, reason);
  });
}

Deno.test("-4 uses the IPv4 addresses of a name, and -6 says where there are none", async () => {
  await using server = await TestServer.open("echo://:0");
  const target = `localhost:${server.port()}`;
  const { received: shown } = await runTestClient([target, "-4"], "x");
  assertEquals(shown, "x");
  const { error } = await runTestClient([target, "-6"], "x");
  assertMatch(error, /has no IPv6 address: it has 127|refused/);
  assertEquals(error.includes("127.0.0.1:"), false);
});

Deno.test("forward's connections come from its source, and carry what they carry without", async () => {
  await using upstream = await TestServer.open("echo://:0");
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${upstream.port()}&source=127.0.0.7&check=60s&connect-timeout=60s`,
  );
  using client = await server.connect();
  const bytes = noise(3_000_000, 1);
  const [answer] = await Promise.all([
    readAll(client),
    send(client, bytes).then(() => client.closeWrite()),
  ]);
  assertEquals(answer, bytes);
  const { peer } = await upstream.event("closed", ({ bytesIn }) => bytesIn > 0);
  assertEquals("hostname" in peer && peer.hostname, "127.0.0.7");
  await upstream.event(
    "closed",
    ({ bytesIn, peer }) => bytesIn === 0 && "hostname" in peer && peer.hostname === "127.0.0.7",
  );
  assertEquals((await server.event("closed")).reason, "peer closed");
});

testWith(["openssl"], "forward speaks TLS from its source, too", async () => {
  await using authority = await CertificateAuthority.make();
  await using upstream = await opensslReverser(await authority.sign());
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${upstream.port}&source=127.0.0.7` +
      `&to-tls-ca=${authority.cert}`,
  );
  using client = await server.connect();
  await send(client, "abc\n");
  assertEquals(await readUntil(client, /\n/), "cba\n");
});

Deno.test("a source of forward that cannot be is refused before anything is opened", async () => {
  const refused = async (query: string, reason: RegExp) => {
    const error = await assertRejects(
      async () => await preflight(configOf([`forward://:0?${query}`])),
      Error,
    );
    assertMatch(error.message, reason);
  };
  await refused("to=db:1&source=192.0.2.1", /source 192\.0\.2\.1: no interface of this machine/);
  await refused("to=[::1]:1&source=127.0.0.1", /source: ::1 is no IPv4 address/);
  await refused("to=unix:/x&source=127.0.0.1", /source needs an upstream with an IP address/);
  await refused("to=db:1&source=127.0.0.1:80", /is no IP address: expected one of this machine's/);
});

Deno.test("the library's connect takes a source", async () => {
  await using server = await TestServer.open("echo://:0");
  using client = await connect(`127.0.0.1:${server.port()}`, { source: "127.0.0.7" });
  await client.write("x\n");
  assertEquals(await client.readLine(), "x");
  const { peer } = await server.event("opened");
  assertEquals("hostname" in peer && peer.hostname, "127.0.0.7");
});
