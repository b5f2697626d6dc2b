import { assert, assertEquals, assertMatch } from "@std/assert";
import { noise, readAll, readText, send, sha256 } from "../harness/bytes.ts";
import { Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** Command lines of the netcat family that send stdin and print the answer to its end. */
const PEERS = {
  ncat: (port: number) => ["ncat", "127.0.0.1", `${port}`],
  socat: (port: number) => ["socat", "-t5", "-", `TCP:127.0.0.1:${port}`],
  nc: (port: number) => ["nc", "-N", "127.0.0.1", `${port}`],
} as const satisfies Record<string, (port: number) => [string, ...string[]]>;

const EXPECTED: Readonly<Record<string, RegExp>> = {
  echo: /^hello\r?\n$/,
  discard: /^$/,
  daytime: /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n$/,
  qotd: /^.{1,510}\r\n$/,
  chat: /^\* welcome to 127\.0\.0\.1:\d+: you are guest-1, nobody else is here; .*\n$/,
};

for (const [tool, command] of Object.entries(PEERS)) {
  for (const [service, answer] of Object.entries(EXPECTED)) {
    testWith([tool], `${service} answers ${tool} as its clients expect`, async () => {
      await using server = await TestServer.open(`${service}://:0`);
      const { stdout, code } = await run(command(server.port()), { stdin: "hello\n" });
      assertMatch(stdout, answer);
      assertEquals(code, 0);
    });
  }
  testWith([tool], `time sends ${tool} the seconds since 1900`, async () => {
    await using server = await TestServer.open("time://:0");
    const { bytes } = await run(command(server.port()));
    assertEquals(bytes.length, 4);
    const unix = new DataView(bytes.buffer).getUint32(0) - 2_208_988_800;
    assert(Math.abs(unix - Date.now() / 1000) < 60);
  });
}

testWith(["curl"], "curl telnet:// exchanges data with echo", async () => {
  await using server = await TestServer.open("echo://:0");
  await using curl = new Program(["curl", "-sSN", `telnet://127.0.0.1:${server.port()}`]);
  await curl.type("hello\n");
  await curl.prints(/^hello\n$/);
});

testWith(["ncat"], "chargen sends ncat lines of 72 characters, each shifted by one", async () => {
  await using server = await TestServer.open("chargen://:0");
  const { stdout } = await run([
    "sh",
    "-c",
    `ncat --recv-only 127.0.0.1 ${server.port()} 2>/dev/null | head -n 200`,
  ]);
  const lines = stdout.split("\r\n").slice(0, 200);
  const ring = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
  lines.slice(0, 199).forEach((line, i) => {
    assertEquals(line, (ring + ring).slice(i % 95, i % 95 + 72));
  });
});

Deno.test("daytime, time and qotd close the connection", async () => {
  await using server = await TestServer.open("daytime://:0", "time://:0", "qotd://:0");
  for (const i of [0, 1, 2]) {
    using client = await server.connect(i);
    assert((await readAll(client)).length > 0);
  }
});

Deno.test("the last data arrives even if the client's data was not read", async () => {
  await using server = await TestServer.open("daytime://:0");
  using client = await server.connect();
  await send(client, noise(10_000));
  assertMatch(await readText(client), /GMT\r\n$/);
});

Deno.test("echo returns every byte, and half-closes after the client has", async () => {
  await using server = await TestServer.open("echo://:0");
  using client = await server.connect();
  const bytes = noise(3_000_000);
  const back = readAll(client);
  await send(client, bytes);
  await client.closeWrite();
  assertEquals(await sha256(await back), await sha256(bytes));
  const { bytesIn, bytesOut, reason } = await server.event("closed");
  assertEquals({ bytesIn, bytesOut, reason }, {
    bytesIn: bytes.length,
    bytesOut: bytes.length,
    reason: "peer closed",
  });
});

Deno.test("echo waits for a client that does not read, and loses nothing when it does", async () => {
  await using server = await TestServer.open("echo://:0");
  using client = await server.connect();
  const bytes = noise(20_000_000);
  const sending = send(client, bytes);
  await server.event("opened");
  const back = readAll(client);
  await sending;
  await client.closeWrite();
  assertEquals(await sha256(await back), await sha256(bytes));
});
