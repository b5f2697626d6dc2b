/** `outlet client -u`: with the real program, against real peers. */
import { assertEquals, assertMatch } from "@std/assert";
import { framed } from "../../src/client/framing.ts";
import { bytesOf } from "../harness/bytes.ts";
import { UdpClient } from "../harness/datagrams.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { testWith } from "../harness/tools.ts";

/** Prints the lengths of the datagrams that it gets, and answers each. */
const COUNTING = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    data, peer = s.recvfrom(65536)
    print(len(data), data[:20], flush=True)
    s.sendto(data.upper(), peer)
`;

async function countingPeer(): Promise<{ peer: Program; port: string }> {
  const peer = new Program(["python3", "-c", COUNTING]);
  const [port] = await peer.prints(/^\d+/);
  return { peer, port };
}

testWith(
  ["python3"],
  "each line of stdin becomes a datagram, and the answers go to stdout",
  async () => {
    const { peer, port } = await countingPeer();
    await using _peer = peer;
    const args = outlet("client", "-u", "127.0.0.1", port, "--datagram", "line", "-w", "5s");
    const { code, stdout } = await run(args, { stdin: "one\ntwo\n\nlast" });
    assertEquals([code, stdout], [0, "ONE\nTWO\n\nLAST"]);
    await peer.prints(/4 b'one\\n'\n4 b'two\\n'\n1 b'\\n'\n4 b'last'\n/);
  },
);

testWith(
  ["python3"],
  "stdin is cut into datagrams of a size, of which the last is shorter",
  async () => {
    const { peer, port } = await countingPeer();
    await using _peer = peer;
    const args = outlet("client", `udp://127.0.0.1:${port}`, "--datagram", "1000", "-w", "5s");
    const { code, stdout } = await run(args, { stdin: "x".repeat(2_500) });
    assertEquals([code, stdout.length], [0, 2_500]);
    await peer.prints(/1000 .*\n1000 .*\n500 .*\n/);
  },
);

testWith(["socat"], "socat UDP-LISTEN and the client exchange datagrams", async () => {
  const port = freePort();
  await using _socat = new Program(["socat", `UDP4-RECVFROM:${port},fork,bind=127.0.0.1`, "PIPE"]);
  let answered = "";
  for (let tried = 0; answered === "" && tried < 50; tried++) {
    // Until socat has bound the port, it is unreachable.
    const { stdout } = await run(outlet("client", "-u", "127.0.0.1", String(port), "-w", "1s"), {
      stdin: "through socat",
    });
    answered = stdout;
  }
  assertEquals(answered, "through socat");
});

Deno.test("a port that is closed is told of by ICMP, and the exit code is 1", async () => {
  const port = freePort();
  const { code, stderr } = await run(outlet("client", "-u", "127.0.0.1", String(port)), {
    stdin: "anybody?",
  });
  assertEquals(code, 1);
  assertMatch(stderr, /udp:\/\/127.0.0.1:\d+: ICMP port unreachable: nothing receives there/);
});

Deno.test("-z tells an answer, a closed port, and silence apart", async () => {
  await using server = await TestServer.open("echo+udp://:0", "discard+udp://:0");
  const probe = (port: number) =>
    run(outlet("client", "-u", "-z", "127.0.0.1", String(port), "-w", "2s"));
  const open = await probe(server.port(0));
  assertEquals(open.code, 0);
  assertMatch(open.stdout, /is open \(answered in /);
  const silent = await probe(server.port(1));
  assertEquals(silent.code, 0);
  assertMatch(silent.stdout, /is open or filtered \(no answer in 2.00 s, and no ICMP port/);
  const closed = await probe(freePort());
  assertEquals(closed.code, 1);
  assertMatch(closed.stderr, /is closed \(ICMP port unreachable\)/);
});

Deno.test("-z with --count has statistics, and as JSON the share that was lost", async () => {
  await using server = await TestServer.open("echo+udp://:0");
  const args = ["client", "-uz", "127.0.0.1", String(server.port()), "--count", "5"];
  const { code, stdout } = await run(outlet(...args, "--interval", "10ms", "--json"));
  const { state, count, answered, loss } = JSON.parse(stdout);
  assertEquals({ code, state, count, answered, loss }, {
    code: 0,
    state: "open",
    count: 5,
    answered: 5,
    loss: 0,
  });
});

Deno.test("-z --count forever prints what came of each datagram until it is interrupted", async () => {
  await using server = await TestServer.open("echo+udp://:0", "discard+udp://:0");
  const probe = (at: number, wait: string) =>
    outlet(...`client -uz 127.0.0.1 ${server.port(at)} -w ${wait} --count forever`.split(" "));
  await using text = new Program([...probe(0, "20s"), "--interval", "1ms"]);
  const line = `\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z udp://127.0.0.1:${server.port(0)} open in .*\\n`;
  await text.prints(new RegExp(`^(${line}){3}`));
  text.signal("SIGINT");
  const { stdout } = await text.outcome();
  assertMatch(stdout, /is open: \d+ sent, \d+ answered, .* lost\nmin /);
  await using json = new Program([...probe(1, "100ms"), "--json"]);
  const [shown] = await json.prints(/^\{.*\}\n/);
  const { target, state, reason } = JSON.parse(shown);
  assertEquals([target, state], [`udp://127.0.0.1:${server.port(1)}`, "open or filtered"]);
  assertEquals(reason, "no answer in 100 ms, and no ICMP port unreachable");
});

/** Echoes, but loses, repeats and swaps some datagrams on purpose. */
const UNRELIABLE = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
held = None
n = 0
while True:
    data, peer = s.recvfrom(65536)
    n += 1
    if n % 10 == 0:
        continue
    if n % 10 == 5:
        held = (data, peer)
        continue
    s.sendto(data, peer)
    if n % 10 == 3:
        s.sendto(data, peer)
    if held:
        s.sendto(*held)
        held = None
`;

testWith(["python3"], "--bench counts what was lost, reordered and duplicated", async () => {
  await using peer = new Program(["python3", "-c", UNRELIABLE]);
  const [port] = await peer.prints(/^\d+/);
  const args = ["client", "-u", "127.0.0.1", port, "--bench", "--connections", "1"];
  const { code, stdout } = await run(outlet(...args, "--duration", "3s", "-w", "500ms", "--json"));
  assertEquals(code, 0);
  const { sent, count, lost, late, reordered, duplicated } = JSON.parse(stdout);
  assertEquals(sent, count + lost + late);
  for (const figure of [count, lost, reordered, duplicated]) {
    assertEquals(figure > 0, true, stdout);
  }
});

Deno.test("--bench of a port that is closed ends at once with exit code 1", async () => {
  const args = ["client", "-u", "127.0.0.1", String(freePort()), "--bench", "--duration", "1h"];
  const { code, stderr } = await run(outlet(...args));
  assertEquals(code, 1);
  assertMatch(stderr, /ICMP port unreachable/);
});

const REFUSED: readonly (readonly [string[], RegExp])[] = [
  [["-u", "tls://a:5"], /is no address of UDP/],
  [["-u", "unix:/a"], /is no address of UDP/],
  [["udp://a:5", "--tls"], /DTLS/],
  [["a", "5", "--datagram", "line"], /--datagram needs --udp/],
  [["udp://a:5", "--datagram", "70000"], /a size of 1 to 65507 bytes/],
  [["udp://a:5", "--proxy", "socks5://b:1"], /proxies carry streams/],
  [["udp://a:5", "--trace"], /there is no handshake/],
];

for (const [args, why] of REFUSED) {
  Deno.test(`outlet client ${args.join(" ")} is refused in words`, async () => {
    const { code, stderr } = await run(outlet("client", ...args));
    assertEquals(code, 2);
    assertMatch(stderr, why);
  });
}

Deno.test("an output file has the answers, a hex dump both directions", async () => {
  await using server = await TestServer.open("echo+udp://:0");
  await using directory = await TemporaryDirectory.make();
  const args = ["client", "-u", "127.0.0.1", String(server.port()), "-w", "5s"];
  await run(outlet(...args, "-o", `${directory.path}/out`, "-x", `${directory.path}/hex`), {
    stdin: "hello",
  });
  assertEquals(await Deno.readTextFile(`${directory.path}/out`), "hello");
  assertMatch(await Deno.readTextFile(`${directory.path}/hex`), /^> .*\|hello\|\n< .*\|hello\|\n$/);
});

Deno.test("datagrams of another sender are not taken for answers", async () => {
  using peer = new UdpClient(9);
  using stranger = new UdpClient(9);
  await using client = new Program(
    outlet("client", "-u", "127.0.0.1", String(peer.port), "-w", "2s"),
  );
  await client.type("hello\n");
  const from = await peer.receiveFrom();
  await stranger.sendTo("not you", from);
  await peer.sendTo("it is me", from);
  await client.end();
  assertEquals((await client.outcome()).stdout, "it is me");
});

Deno.test("lines and sizes are cut right wherever the chunks end", async () => {
  const text = "a\nbc\n\ndef";
  for (let size = 1; size <= text.length; size++) {
    const lines: string[] = [];
    for await (const line of framed(chunksOf(text, size), "line")) {
      lines.push(new TextDecoder().decode(line));
    }
    assertEquals(lines, ["a\n", "bc\n", "\n", "def"]);
    const blocks: number[] = [];
    for await (const block of framed(chunksOf(text, size), 4)) blocks.push(block.length);
    assertEquals(blocks, [4, 4, 1]);
  }
});

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield await bytesOf(text.slice(at, at + size));
}
