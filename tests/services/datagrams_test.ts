/** Services over UDP, with the programs that people use. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bytesOf } from "../harness/bytes.ts";
import { UdpClient } from "../harness/datagrams.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { testWith } from "../harness/tools.ts";

/** Sends one datagram and prints what comes back. */
const ASK = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(90)
s.connect(("127.0.0.1", int(sys.argv[1])))
s.send(sys.argv[2].encode())
sys.stdout.buffer.write(s.recv(65536))
`;

for (
  const [service, answer] of [
    ["echo", /^anybody\?$/],
    ["daytime", /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n$/],
    ["qotd", /^.{1,510}\r\n$/],
  ] as const
) {
  testWith(["python3"], `${service} answers a datagram of python3`, async () => {
    await using server = await TestServer.open(`${service}+udp://:0`);
    const { stdout } = await run(["python3", "-c", ASK, String(server.port()), "anybody?"]);
    assertMatch(stdout, answer);
  });

  testWith(["ncat"], `${service} answers a datagram of ncat -u`, async () => {
    await using server = await TestServer.open(`${service}+udp://:0`);
    await using ncat = new Program(["ncat", "-u", "127.0.0.1", String(server.port())]);
    await ncat.type("anybody?");
    await ncat.prints(new RegExp(answer.source.replace(/\$$/, "")));
  });

  testWith(["socat"], `${service} answers a datagram of socat UDP`, async () => {
    await using server = await TestServer.open(`${service}+udp://:0`);
    await using socat = new Program(["socat", "-", `UDP4:127.0.0.1:${server.port()}`]);
    await socat.type("anybody?");
    await socat.prints(new RegExp(answer.source.replace(/\$$/, "")));
  });
}

testWith(["python3"], "time answers a datagram with the seconds since 1900", async () => {
  await using server = await TestServer.open("time+udp://:0");
  const { bytes } = await run(["python3", "-c", ASK, String(server.port()), ""]);
  assertEquals(bytes.length, 4);
  const seconds = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  assert(Math.abs(seconds - 2_208_988_800 - Date.now() / 1000) < 600, String(seconds));
});

Deno.test("chargen answers each datagram with 0 to 512 characters of its lines", async () => {
  await using server = await TestServer.open("chargen+udp://:0");
  using client = new UdpClient(server.port());
  const lengths = new Set<number>();
  for (let asked = 0; asked < 200; asked++) {
    const answer = await client.ask("x");
    lengths.add(answer.length);
    assert(answer.length <= 512);
    const [first = ""] = answer.split("\r");
    for (let at = 1; at < first.length; at++) {
      const [before, after] = [first.charCodeAt(at - 1), first.charCodeAt(at)];
      assertEquals(after, before === 0x7e ? 0x20 : before + 1);
    }
  }
  assert(lengths.size > 20, "the lengths are not random");
});

Deno.test("discard answers nothing", async () => {
  await using server = await TestServer.open("discard+udp://:0");
  using client = new UdpClient(server.port());
  await client.send("hello");
  await server.event("opened");
  await server.server.stop({ grace: 0 });
  const { datagramsIn, datagramsOut } = await server.event("closed");
  assertEquals([datagramsIn, datagramsOut], [1, 0]);
});

testWith(["dig", "dnsmasq"], "dig resolves a name through forward and dnsmasq", async () => {
  const port = freePort();
  await using dnsmasq = new Program([
    "dnsmasq",
    ...["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"],
    ...["--bind-interfaces", "--listen-address=127.0.0.1", `--port=${port}`, "--log-facility=-"],
    ...["--address=/printer.test/192.0.2.77", "--user=root"],
  ]);
  await dnsmasq.logs(/started/);
  await using server = await TestServer.open(`forward+udp://:0?to=127.0.0.1:${port}`);
  const dig = ["dig", "+short", "+notcp", "-p", String(server.port()), "@127.0.0.1"] as const;
  for (let asked = 0; asked < 3; asked++) {
    const { stdout } = await run([...dig, "printer.test"]);
    assertEquals(stdout, "192.0.2.77\n");
  }
  await server.server.stop({ grace: 0 });
  const closed = await server.event("closed");
  assertEquals(closed.notes, { upstream: `udp://127.0.0.1:${port}` });
  assertEquals([closed.datagramsIn, closed.datagramsOut], [1, 1]);
});

Deno.test("forward gives each client a socket of its own, so that answers find their client", async () => {
  await using upstream = await TestServer.open("echo+udp://:0");
  await using server = await TestServer.open(`forward+udp://:0?to=127.0.0.1:${upstream.port()}`);
  const clients = Array.from({ length: 30 }, () => new UdpClient(server.port()));
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(clients.map((client, at) => client.ask(`${round} ${at}`)));
    assertEquals(answers, clients.map((_, at) => `${round} ${at}`));
  }
  const ports = new Set(
    [...upstream.server.connections()].map(({ connection }) => JSON.stringify(connection.peer)),
  );
  assertEquals(ports.size, 30);
  for (const client of clients) client.close();
});

Deno.test("forward distributes sessions over its upstreams", async () => {
  await using one = await TestServer.open("echo+udp://:0");
  await using other = await TestServer.open("echo+udp://:0");
  const to = [one, other].map((server) => `127.0.0.1:${server.port()}`).join(",");
  await using server = await TestServer.open(`forward+udp://:0?to=${to}`);
  for (let asked = 0; asked < 4; asked++) {
    using client = new UdpClient(server.port());
    await client.ask("hello");
  }
  assertEquals([one, other].map(({ server }) => [...server.connections()].length), [2, 2]);
});

Deno.test("forward tells of an upstream that is unreachable, and uses another one", async () => {
  const closed = freePort();
  await using upstream = await TestServer.open("echo+udp://:0");
  const to = `127.0.0.1:${closed},127.0.0.1:${upstream.port()}`;
  await using server = await TestServer.open(`forward+udp://:0?to=${to}&balance=first`);
  using client = new UdpClient(server.port());
  const asking = setInterval(() => client.send("hello").catch(() => {}), 20);
  try {
    assertEquals(new TextDecoder().decode(await client.receive()), "hello");
  } finally {
    clearInterval(asking);
  }
  const { reason } = await server.event("failed");
  assertMatch(reason, new RegExp(`127.0.0.1:${closed}: port unreachable; not used for`));
  const ended = await server.event("closed");
  assertMatch(ended.reason, /^error: udp:\/\/127.0.0.1:\d+: port unreachable$/);
});

Deno.test("send-proxy=v2 puts a header with the client's address before the first datagram only", async () => {
  using upstream = new UdpClient(9);
  await using server = await TestServer.open(
    `forward+udp://:0?to=127.0.0.1:${upstream.port}&send-proxy=v2`,
  );
  using client = new UdpClient(server.port());
  await client.send("first");
  await client.send("second");
  const first = await upstream.receive();
  const port = (number: number) => [number >> 8, number & 0xff];
  assertEquals([...first], [
    ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
    ...[0x21, 0x12, 0, 12, 127, 0, 0, 1, 127, 0, 0, 1],
    ...port(client.port),
    ...port(server.port()),
    ...bytesOf("first"),
  ]);
  assertEquals(new TextDecoder().decode(await upstream.receive()), "second");
});

Deno.test("record writes each datagram as a netstring, which keeps its boundaries", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = `${directory.path}/datagrams`;
  await using server = await TestServer.open(`record+udp://:0?file=${path}`);
  using client = new UdpClient(server.port());
  for (const datagram of ["hello", "", "1:x,", "last"]) await client.send(datagram);
  const expected = "5:hello,0:,4:1:x,,4:last,";
  await eventually(async () => await Deno.readTextFile(path).catch(() => "") === expected);
});

testWith(
  ["ncat"],
  "stdio is to ncat -u what nc -u -l is, and ends when the client is idle",
  async () => {
    const port = freePort();
    await using server = new Program(
      outlet("server", `stdio+udp://127.0.0.1:${port}?idle-timeout=2s`),
    );
    await server.logs(/listening/);
    await using ncat = new Program(["ncat", "-u", "127.0.0.1", String(port)]);
    await ncat.type("from ncat\n");
    await server.prints(/from ncat\n/);
    await server.type("from stdin\n");
    await ncat.prints(/from stdin\n/);
    assertEquals((await server.outcome()).code, 0);
  },
);

Deno.test("stdio serves one client, and counts what others send", async () => {
  await using server = await TestServer.open("stdio+udp://:0");
  using first = new UdpClient(server.port());
  using second = new UdpClient(server.port());
  await first.send("first");
  await server.event("opened");
  await second.send("second");
  assertEquals((await server.event("dropped")).reason, "another client is connected");
});

testWith(
  ["ip", "python3"],
  "an outlet on 0.0.0.0 answers from the address that was asked",
  async () => {
    const { TwoMachines } = await import("../trace/namespaces.ts");
    await using machines = await TwoMachines.make();
    const second = "10.77.0.22";
    await run(machines.onServer("ip", "address", "add", `${second}/24`, "dev", "wire"));
    await using server = new Program(
      machines.onServer(...outlet("server", "echo+udp://0.0.0.0:7007")),
    );
    await server.logs(/listening/);
    for (const address of [machines.serverAddress, second]) {
      const ask = ASK.replace("127.0.0.1", address);
      const { stdout } = await run(machines.onClient("python3", "-c", ask, "7007", "from where?"));
      assertEquals(stdout, "from where?");
    }
  },
);

testWith(
  ["python3"],
  "an outlet on 0.0.0.0 answers from 127.0.0.7, which no interface lists",
  async () => {
    await using server = await TestServer.open("echo+udp://0.0.0.0:0");
    for (let asked = 0; asked < 2; asked++) {
      const ask = ASK.replace("127.0.0.1", "127.0.0.7");
      const { stdout } = await run(["python3", "-c", ask, String(server.port()), "from where?"]);
      assertEquals(stdout, "from where?");
    }
    const locals = [...server.server.connections()].map(({ connection }) => connection.local);
    assertEquals(locals.map((local) => "hostname" in local && local.hostname), [
      "127.0.0.7",
      "127.0.0.7",
    ]);
  },
);
