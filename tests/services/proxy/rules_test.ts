/** Who may use a proxy, and where it connects to. */
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { parseConfig } from "../../../src/config/config_file.ts";
import { parseServerArgs } from "../../../src/cli/server_args.ts";
import { preflight } from "../../../src/server/preflight.ts";
import { Destinations } from "../../../src/services/proxy/destinations.ts";
import { UsageError } from "../../../src/options/usage_error.ts";
import { readText, send } from "../../harness/bytes.ts";
import { configOf, TestServer } from "../../harness/server.ts";
import { TemporaryDirectory } from "../../harness/temporary_directory.ts";

const OPEN = /would be an open proxy for everybody: give it auth .* or to-allow .*, or allow/;

Deno.test("a proxy that everybody could use is refused", async () => {
  for (
    const args of [
      ["proxy://0.0.0.0:0"],
      ["proxy://[::]:0?deny=10.0.0.0/8"],
      ["proxy://192.0.2.1:0?to-deny=10.0.0.0/8"],
      ["proxy://some.host:0"],
      ["proxy://0.0.0.0:0?allow=0.0.0.0/0"],
      ["proxy://0.0.0.0:0?to-allow=0.0.0.0/0,::/0"],
      ["proxy+tls://0.0.0.0:0?tls-self-signed"],
      ["proxy://:0?accept-proxy"],
      ["proxy+ws://:0?forwarded-for"],
      ["proxy://0.0.0.0:0", "--allow", "::ffff:0:0/96"],
    ]
  ) {
    const error = assertThrows(() => parseServerArgs(args), UsageError, undefined, args.join(" "));
    assertMatch(error.message, OPEN);
    assertEquals(error.option, "auth");
  }
  const file = { outlets: [{ service: "proxy", listen: "0.0.0.0:0" }] };
  const error = await assertRejects(() => parseConfig(JSON.stringify(file)), UsageError);
  assertMatch(error.message, OPEN);
});

Deno.test("a proxy with rules, passwords or client certificates, or for this machine alone, is accepted", () => {
  for (
    const args of [
      ["proxy://:0"],
      ["proxy://[::1]:0"],
      ["proxy+unix:///run/proxy.sock"],
      ["proxy://0.0.0.0:0?allow=10.0.0.0/8"],
      ["proxy://0.0.0.0:0?to-allow=192.0.2.0/24"],
      ["proxy://0.0.0.0:0?auth=users"],
      ["proxy://0.0.0.0:0", "--allow", "10.0.0.0/8"],
      ["proxy+tls://0.0.0.0:0?tls-self-signed&tls-client-ca=ca.pem"],
    ]
  ) parseServerArgs(args);
});

Deno.test("options that cannot work are refused at the start", async () => {
  for (
    const [query, why] of [
      ["via=socks5://joe@h", /via: .* needs a password/],
      ["via=ftp://h", /via: expected socks5:/],
      ["connect-timeout=0", /connect-timeout cannot be 0/],
      ["source=127.0.0.1&via=socks5://[::1]:1", /source: ::1 is no IPv4 address/],
    ] as const
  ) {
    const error = assertThrows(() => parseServerArgs([`proxy://:0?${query}`]), UsageError);
    assertMatch(error.message, why);
  }
  const loop = assertThrows(() => configOf(["proxy://:7999?via=socks5://127.0.0.1:7999"]));
  assertMatch((loop as Error).message, /would forward to itself/);
  const source = () => preflight(configOf(["proxy://:0?source=192.0.2.9"]));
  assertMatch((await assertRejects(source, Error)).message, /source 192\.0\.2\.9: no interface/);
});

Deno.test("a proxy over UDP is refused with the reason", () => {
  const error = assertThrows(() => parseServerArgs(["proxy+udp://:0"]), UsageError);
  assertMatch(error.message, /UDP ASSOCIATE/);
});

Deno.test("a password file that cannot be used is refused at the start, with its line", async () => {
  await using folder = await TemporaryDirectory.make();
  const file = `${folder.path}/users`;
  for (
    const [text, why] of [
      ["", /it has no users/],
      ["joe\n", /line 1: expected USER:HASH/],
      ["# all\n\njoe:$apr1$x$y\n", /line 3: unknown kind of hash: expected bcrypt/],
      [`joe:$2y$31$${"a".repeat(53)}`, /line 1: a bcrypt cost of 31/],
      ["joe:$scrypt$ln=20,r=8,p=1$AAAA$AAAA", /line 1: a scrypt cost that is too high/],
    ] as const
  ) {
    await Deno.writeTextFile(file, text);
    const check = () => preflight(configOf([`proxy://:0?auth=${file}`]));
    const error = await assertRejects(check, UsageError);
    assertMatch(error.message, why);
    assertMatch(error.message, /^proxy at 127\.0\.0\.1:0: auth /);
  }
});

const REMOTE = { hostname: "192.0.2.7", port: 5000 };
const NEAR = { hostname: "127.0.0.1", port: 5000 };
const NO_RULES = { "to-allow": [], "to-deny": [], "to-local": false };

function allowed(
  rules: Partial<ConstructorParameters<typeof Destinations>[0]>,
  addresses: readonly string[],
  client = REMOTE,
): readonly string[] | string {
  try {
    const destinations = new Destinations({ ...NO_RULES, ...rules });
    return destinations.allowed(addresses, { client, name: "a.test" });
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test("remote clients reach no loopback, link-local or metadata address, however it is written", () => {
  for (
    const [address, kind] of [
      ["127.0.0.1", "loopback"],
      ["127.255.0.9", "loopback"],
      ["0.0.0.0", "loopback"],
      ["::1", "loopback"],
      ["::", "loopback"],
      ["::ffff:127.0.0.1", "loopback"],
      ["::ffff:7f00:1", "loopback"],
      ["::127.0.0.1", "loopback"],
      ["64:ff9b::7f00:1", "loopback"],
      ["2002:7f00:1::", "loopback"],
      ["169.254.169.254", "metadata"],
      ["64:ff9b::a9fe:a9fe", "metadata"],
      ["fd00:ec2::254", "metadata"],
      ["100.100.100.200", "metadata"],
      ["169.254.1.1", "link-local"],
      ["fe80::1", "link-local"],
      ["fe80::1%eth0", "link-local"],
    ] as const
  ) {
    assertEquals(
      allowed({}, [address]),
      `a.test is ${address}: a ${kind} address of the proxy's host (to-local allows them)`,
    );
    assertEquals(allowed({ "to-local": true }, [address]), [address]);
    assertEquals(allowed({}, [address], NEAR), [address]);
  }
  for (const address of ["192.0.2.1", "2001:db8::1", "10.0.0.1", "64:ff9b::c000:201"]) {
    assertEquals(allowed({}, [address]), [address]);
  }
});

Deno.test("of the addresses of a name, only those that the rules allow are tried", () => {
  const both = ["127.0.0.1", "192.0.2.1", "2001:db8::1"];
  assertEquals(allowed({}, both), ["192.0.2.1", "2001:db8::1"]);
  assertEquals(allowed({ "to-deny": ["192.0.2.0/24"] }, both), ["2001:db8::1"]);
  assertEquals(allowed({ "to-allow": ["192.0.2.0/24"] }, both, NEAR), ["192.0.2.1"]);
  assertEquals(
    allowed({ "to-allow": ["198.51.100.0/24"] }, both),
    "a.test is 127.0.0.1: not in to-allow",
  );
  assertEquals(
    allowed({ "to-deny": ["10.0.0.0/8"] }, ["64:ff9b::a00:1"]),
    "a.test is 64:ff9b::a00:1: denied by to-deny",
  );
  // A connection to it leads to loopback.
  assertEquals(
    allowed({ "to-deny": ["127.0.0.0/8"] }, ["0.0.0.0"], NEAR),
    "a.test is 0.0.0.0: denied by to-deny",
  );
});

Deno.test("a client that is remote by its PROXY header is not connected to this host, also by name", async () => {
  await using server = await TestServer.open("proxy://:0?accept-proxy&allow=192.0.2.0/24");
  for (const host of ["localhost", "127.0.0.1", "0.0.0.0", "0x7f.1"]) {
    using client = await server.connect();
    await send(
      client,
      `PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nCONNECT ${host}:${server.port()} HTTP/1.1\r\n\r\n`,
    );
    assertMatch(
      await readText(client),
      /^HTTP\/1\.1 403 [^]*a loopback address of the proxy's host/,
    );
  }
});
