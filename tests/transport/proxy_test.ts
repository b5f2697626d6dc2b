import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { runTestClient } from "../harness/client.ts";
import { freePort } from "../harness/ports.ts";
import { Program } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** A proxy that listens when this resolves. */
async function proxy(
  port: number,
  command: [string, ...string[]],
): Promise<Program> {
  const program = new Program(command);
  const { error } = await runTestClient([
    "-z",
    "127.0.0.1",
    String(port),
    "--retry",
    "50",
    "--retry-delay",
    "50ms",
  ]);
  assertEquals(error, "");
  return program;
}

testWith(["microsocks"], "socks5 and socks5h connect through microsocks", async () => {
  await using server = await TestServer.open("daytime://:0");
  const port = freePort();
  await using _ = await proxy(port, ["microsocks", "-i", "127.0.0.1", "-p", String(port)]);
  for (const scheme of ["socks5", "socks5h"]) {
    const args = ["localhost", String(server.port()), "--proxy", `${scheme}://127.0.0.1:${port}`];
    const { received, error } = await runTestClient([...args, "--eof", "wait"]);
    assertEquals(error, "");
    assertMatch(received, /GMT\r\n$/);
  }
  const closed = await runTestClient(["127.0.0.1", "9", "--proxy", `socks5://127.0.0.1:${port}`]);
  assertMatch(closed.error, /through the socks5 proxy 127.*refused: nothing listens on that port/);
});

testWith(
  ["microsocks"],
  "a SOCKS proxy receives the password that it asks for, and errors do not contain it",
  async () => {
    await using server = await TestServer.open("daytime://:0");
    const port = freePort();
    await using _ = await proxy(port, [
      "microsocks",
      ...["-i", "127.0.0.1", "-p", String(port), "-u", "joe", "-P", "s3cret"],
    ]);
    const args = (login: string) => [
      "127.0.0.1",
      String(server.port()),
      ...["--eof", "wait", "-v", "--json", "--proxy", `socks5://${login}127.0.0.1:${port}`],
    ];
    const right = await runTestClient(args("joe:s3cret@"));
    assertMatch(right.received, /GMT/);
    assertEquals(right.logged.includes("s3cret"), false);
    const wrong = await runTestClient(args("joe:wr0ng@"));
    assertMatch(wrong.error, /authentication failed$/);
    assertEquals((wrong.error + wrong.logged).includes("wr0ng"), false);
    assertMatch((await runTestClient(args(""))).error, /authentication required$/);
  },
);

testWith(["ncat"], "http connects through ncat's proxy, which asks for a password", async () => {
  await using server = await TestServer.open("daytime://:0");
  const port = freePort();
  await using _ = await proxy(port, [
    "ncat",
    ...[
      "-l",
      "127.0.0.1",
      String(port),
      "-k",
      "--proxy-type",
      "http",
      "--proxy-auth",
      "joe:s3cret",
    ],
  ]);
  const args = (login: string) => [
    "127.0.0.1",
    String(server.port()),
    ...["--eof", "wait", "--proxy", `http://${login}127.0.0.1:${port}`],
  ];
  assertMatch((await runTestClient(args("joe:s3cret@"))).received, /GMT/);
  assertMatch(
    (await runTestClient(args(""))).error,
    /it answered 407 .*\(authentication required\)$/,
  );
});

testWith(
  ["tinyproxy"],
  "http connects through tinyproxy, and its refusal is reported in its own text",
  async () => {
    await using server = await TestServer.open("daytime://:0");
    const port = freePort();
    const config = await Deno.makeTempFile();
    await Deno.writeTextFile(
      config,
      `Port ${port}\nListen 127.0.0.1\nMaxClients 5\nConnectPort ${server.port()}\n`,
    );
    {
      await using _ = await proxy(port, ["tinyproxy", "-d", "-c", config]);
      const args = ["--eof", "wait", "--proxy", `http://127.0.0.1:${port}`];
      assertMatch(
        (await runTestClient(["127.0.0.1", String(server.port()), ...args])).received,
        /GMT/,
      );
      assertMatch((await runTestClient(["127.0.0.1", "9", ...args])).error, /it answered 403 /);
    }
    await Deno.remove(config);
  },
);

Deno.test("socks4 sends an address, and socks4a a name", async () => {
  for (const [scheme, expected] of [["socks4", "127.0.0.1"], ["socks4a", "localhost\0"]] as const) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const asked = (async () => {
      using client = await listener.accept();
      const request = new Uint8Array(64);
      const length = (await client.read(request))!;
      await client.write(Uint8Array.of(0, 90, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode("hi")));
      return request.slice(0, length);
    })();
    const args = ["localhost", "7", "--proxy", `${scheme}://me@127.0.0.1:${listener.addr.port}`];
    assertEquals((await runTestClient(args)).received, "hi");
    const request = await asked;
    assertEquals([...request.subarray(0, 4)], [4, 1, 0, 7]);
    const text = new TextDecoder().decode(request.subarray(8));
    if (scheme === "socks4a") assertEquals(text, `me\0${expected}`);
    else assertEquals([[...request.subarray(4, 8)].join("."), text], [expected, "me\0"]);
  }
});

Deno.test("a proxy with another protocol, or that closes the connection, is reported as such", async () => {
  await using server = await TestServer.open("echo://:0", "daytime://:0");
  const viaProxy = async (scheme: string, index: number) =>
    (await runTestClient(["h.test", "7", "--proxy", `${scheme}://127.0.0.1:${server.port(index)}`]))
      .error;
  assertStringIncludes(await viaProxy("socks5h", 1), "it does not speak SOCKS 5");
  assertStringIncludes(await viaProxy("socks4a", 1), "it does not speak SOCKS 4");
  assertStringIncludes(await viaProxy("http", 0), "it does not speak HTTP");
});

Deno.test("an invalid proxy URL is refused without printing its password", () => {
  for (
    const word of ["sock5://joe:s3cret@h:1", "socks5://joe:s3cret@h:x", "socks5://joe:s3cret%@h"]
  ) {
    const error = assertThrows(() => parseClientArgs(["h", "1", "--proxy", word])) as Error;
    assertMatch(error.message, /^--proxy: /);
    assertEquals(error.message.includes("s3cret"), false);
  }
});
