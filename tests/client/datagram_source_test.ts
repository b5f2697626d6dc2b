/** Where datagrams come from, and what of that the client and `forward` refuse. */
import { assertEquals, assertMatch } from "@std/assert";
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { UdpClient } from "../harness/datagrams.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** Prints each sender, and answers it. */
const SENDERS = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    data, peer = s.recvfrom(65536)
    print("from %s:%d" % peer, flush=True)
    s.sendto(data, peer)
`;

testWith(
  ["python3"],
  "a client, a probe and a load test send datagrams from where they were told",
  async () => {
    await using peer = new Program(["python3", "-c", SENDERS]);
    const [port] = await peer.prints(/^\d+/);
    const own = freePort();
    const client = (...args: string[]) => outlet("client", "-u", "127.0.0.1", port, ...args);
    for (const source of [`127.0.0.7:${own}`, `127.0.0.8:${own}`, `:${own}`]) {
      await using sending = new Program(client("--source", source));
      await sending.type("hello");
      await sending.prints(/hello/);
      await peer.prints(new RegExp(`from ${source.replace(/^:/, "127.0.0.1:")}\n`));
    }
    const probe = await run(client("-z", "-s", "127.0.0.9", "-w", "20s"));
    assertMatch(probe.stdout, /is open \(answered in/);
    await peer.prints(/from 127\.0\.0\.9:/);
    await run(client("--bench", "--duration", "100ms", "-s", "127.0.0.10", "-4"));
    await peer.prints(/from 127\.0\.0\.10:/);
  },
);

Deno.test("a probe of several ports from one port asks one after the other", async () => {
  await using server = await TestServer.open("echo+udp://:0", "echo+udp://:0", "echo+udp://:0");
  const ports = [0, 1, 2].map((at) => server.port(at)).join(",");
  const args = ["client", "-uz", "127.0.0.1", ports, "--source", `:${freePort()}`, "-w", "20s"];
  const { code, stdout } = await run(outlet(...args));
  assertEquals(code, 0);
  assertMatch(stdout, /^PORT .*\n(\d+ +open +.*\n){3}$/);
});

Deno.test("what is wrong with a source of datagrams is told as such", async () => {
  using taken = new UdpClient(9);
  const client = (source: string) =>
    run(outlet("client", "udp://127.0.0.1:9", "--source", source), { stdin: "hello" });
  const away = await client("192.0.2.1");
  assertEquals(away.code, 1);
  assertMatch(away.stderr, /cannot come from 192\.0\.2\.1: no interface of this machine has that/);
  const used = await client(`127.0.0.1:${taken.port}`);
  assertMatch(
    used.stderr,
    new RegExp(`come from 127.0.0.1:${taken.port}: the port is in use$`, "m"),
  );
});

const REFUSED: readonly (readonly [args: string, reason: RegExp])[] = [
  ["udp://[::1]:1 -4", /^--ipv4: ::1 is no IPv4 address, so it cannot be reached from IPv4$/],
  ["-u 127.0.0.1 1 --source ::1", /127\.0\.0\.1 is no IPv6 address.* from ::1$/],
  ["udp://h:1 --source :5 --bench", /^--source: a port is of one connection, and --bench makes/],
  ["udp://h:1 -4 -6", /^--ipv4 and --ipv6 exclude each other$/],
  ["-u ws://h:1/a", /^ws:\/\/h:1\/a is no address of UDP: expected udp:\/\/HOST:PORT$/],
  ["-u unix:@x", /^unix:@x is no address of UDP: expected udp:\/\/HOST:PORT$/],
  ["-u h 1 -- cat", /has no effect over UDP: a program's stdin and stdout are streams/],
  ["udp://h:1 --ucspi -- cat", /has no effect over UDP: a program's stdin and stdout are streams/],
  ["udp://h:1 --keep-sending", /^--keep-sending has no effect over UDP: there is no half-close$/],
  ["udp://h:1 --ws /a", /^--ws has no effect over UDP: WebSocket needs a stream, and UDP has/],
  ["udp://h:1 --starttls smtp", /^--starttls has no effect over UDP: TLS over UDP \(DTLS\)/],
  ["-u h 1 --keep-alive-idle 5s", /^--keep-alive-idle has no effect over UDP: there is no connect/],
];

for (const [args, reason] of REFUSED) {
  Deno.test(`"outlet client ${args}" is refused in words`, () => {
    let message = "";
    try {
      parseClientArgs(args.split(" "));
    } catch (error) {
      message = (error as Error).message;
    }
    assertMatch(message, reason);
  });
}

Deno.test("forward sends the datagrams of its clients from the source that it was given", async () => {
  await using upstream = await TestServer.open("echo+udp://:0");
  const to = `127.0.0.1:${upstream.port()}`;
  await using server = await TestServer.open(`forward+udp://:0?to=${to}&source=127.0.0.5`);
  using client = new UdpClient(server.port());
  assertEquals(await client.ask("hello"), "hello");
  const { peer } = await upstream.event("opened");
  assertEquals("hostname" in peer && peer.hostname, "127.0.0.5");
});
