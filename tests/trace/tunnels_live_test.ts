/** Live traces of tunnels made by the kernel, and of injected frames. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HandshakeRecord } from "../../src/trace/report/record.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { LiveTrace } from "./live_trace.ts";
import { TwoMachines } from "./namespaces.ts";
import { testInNamespaces, testWithDevice } from "./watch.ts";
import { datagram, ethernet } from "./wire.ts";
import { everyEncapsulation } from "./encapsulations.ts";
import { typeOf } from "./encapsulate.ts";

const PORT = 7778;

/** A program that accepts one connection and sends a greeting. */
function greeter(address: string): string[] {
  const script = `using listener = Deno.listen({ hostname: "${address}", port: ${PORT} });` +
    `console.log("listening"); using conn = await listener.accept();` +
    `await conn.write(new TextEncoder().encode("hello\\n")); await conn.closeWrite();` +
    `while (await conn.read(new Uint8Array(99)) !== null);`;
  return [Deno.execPath(), "eval", "--quiet", script];
}

/** Linux tunnel types, their options, and how a ladder names them. */
const TUNNELS: [kind: string, options: string, name: RegExp][] = [
  ["vxlan", "id 42 local LOCAL remote REMOTE dstport 4789", /^VXLAN 42$/],
  ["geneve", "id 43 remote REMOTE", /^Geneve 43$/],
  ["gre", "local LOCAL remote REMOTE key 44", /^GRE 44$/],
  ["gretap", "local LOCAL remote REMOTE", /^GRE 10\.77\.0\.1–10\.77\.0\.2$/],
  ["sit", "mode ipip local LOCAL remote REMOTE", /^4in4 10\.77\.0\.1–10\.77\.0\.2$/],
  ["ipip", "local LOCAL remote REMOTE", /^4in4 10\.77\.0\.1–10\.77\.0\.2$/],
];

for (const [kind, optionText, name] of TUNNELS) {
  const options = optionText.split(" ");
  const device = {
    kind,
    options: options.map((word) => word.replace("LOCAL", "10.9.9.1").replace("REMOTE", "10.9.9.2")),
  };
  testWithDevice(
    device,
    `A live handshake in ${kind} is found in the outer capture`,
    async () => {
      await using machines = await TwoMachines.make();
      await machines.addTunnel(kind, ...options);
      const record = await traced(machines, async () => {
        await using server = new Program(machines.onServer(...greeter("10.78.0.2")));
        await server.prints(/listening/);
        const args = machines.onClient(...outlet("client", "10.78.0.2", `${PORT}`));
        const { stdout, stderr } = await run(args, { stdin: "bye\n" });
        assertEquals(stdout, "hello\n", stderr);
        await server.outcome();
      });
      assertEquals([record.verdict, record.server.bytes, record.client.bytes], [
        "established",
        6,
        4,
      ]);
      assertEquals(record.server.address, `10.78.0.2:${PORT}`);
      for (const end of [record.client, record.server]) {
        assertEquals(end.through.length, 1);
        assertMatch(end.through[0]!, name);
      }
    },
  );
}

/** The first connection that a trace on the server shows while `act` runs. */
async function traced(machines: TwoMachines, act: () => Promise<void>): Promise<HandshakeRecord> {
  const args = ["-i", "wire", "--json", "--count", "1", "--port", `${PORT}`];
  await using trace = await LiveTrace.start(machines.onServer(...outlet("trace", ...args)));
  await act();
  const { code, stdout, stderr } = await trace.outcome();
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout.split("\n")[0]!);
}

/** A client whose kernel puts a hop-by-hop and a destination options header before TCP (RFC 3542). */
const WITH_EXTENSION_HEADERS = `import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, bytes([0, 0, 5, 2, 0, 0, 1, 0]))
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
s.connect((sys.argv[1], int(sys.argv[2])))
print(s.makefile().readline(), end="")
s.sendall(b"bye\\n")`;

testInNamespaces(
  "A live handshake of a kernel that sends IPv6 extension headers is found by its port",
  async () => {
    if (!isInstalled("python3")) return console.log("ignored: needs python3");
    await using machines = await TwoMachines.make();
    await machines.addMachineBehind();
    const record = await traced(machines, async () => {
      await using server = new Program(machines.onServer(...greeter("fd77::2")));
      await server.prints(/listening/);
      const args = ["python3", "-c", WITH_EXTENSION_HEADERS, "fd77::2", `${PORT}`];
      const { stdout, stderr } = await run(machines.onClient(...args));
      assertEquals(stdout, "hello\n", stderr);
      await server.outcome();
    });
    assertEquals([record.verdict, record.server.bytes, record.client.bytes], ["established", 6, 4]);
    assertEquals(record.server.address, `[fd77::2]:${PORT}`);
  },
);

/** Sends raw frames, one per line in hexadecimal. */
const SEND = `import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("wire", 0))
for line in sys.stdin: s.send(bytes.fromhex(line.strip()))`;

testInNamespaces(
  "--port finds its connections in QinQ, extension headers and every tunnel, and no others",
  async () => {
    if (!isInstalled("python3")) return console.log("ignored: needs python3");
    const V6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const wanted: { name: string; frame: Uint8Array; port: number }[] = [];
    function add(name: string, wrap: (ip: Uint8Array) => Uint8Array, fields = {}): void {
      const port = 20_000 + wanted.length;
      wanted.push({
        name,
        port,
        frame: wrap(datagram({ ...fields, sourcePort: port, destinationPort: PORT })),
      });
    }
    const isFrame = ({ link, bytes }: { link: number; bytes: Uint8Array }) =>
      link === 1 || (link === 101 && typeOf(bytes) !== 0);
    for (const fields of [{}, { source: V6, destination: V6 }]) {
      const names = everyEncapsulation(datagram(fields)).filter(isFrame).map(({ name }) => name);
      for (const name of names) {
        add(name, (ip) => {
          const { link, bytes } = everyEncapsulation(ip).find((wrapped) =>
            wrapped.name === name && isFrame(wrapped)
          )!;
          return link === 1 ? bytes : ethernet(bytes);
        }, fields);
      }
    }
    const hopByHop = [6, 0, 5, 2, 0, 0, 1, 0];
    add("an extension header", ethernet, {
      source: V6,
      destination: V6,
      firstHeader: 0,
      networkOptions: hopByHop,
    });
    add("nothing", ethernet);
    const others = [
      ethernet(datagram({ sourcePort: 1, destinationPort: PORT + 1 })),
      ethernet(datagram({ sourcePort: 2, destinationPort: PORT + 1 }), [5, 6]),
    ];

    await using machines = await TwoMachines.make();
    const args = ["-i", "wire", "--json", "--port", `${PORT}`, "--count", `${wanted.length}`];
    await using trace = await LiveTrace.start(machines.onServer(...outlet("trace", ...args)));
    const lines = [...others, ...wanted.map(({ frame }) => frame)].map((frame) =>
      `${frame.toHex()}\n`
    );
    const sent = await run(machines.onClient("python3", "-c", SEND), { stdin: lines.join("") });
    assertEquals(sent.code, 0, sent.stderr);
    const { stdout } = await trace.outcome();
    const ports = stdout.trim().split("\n").map((line) =>
      (JSON.parse(line) as HandshakeRecord).client.address
    );
    const seen = new Set(ports.map((address) => Number(address.split(":").at(-1))));
    assertEquals(wanted.filter(({ port }) => !seen.has(port)).map(({ name }) => name), []);
    assert(!seen.has(1) && !seen.has(2));
  },
);
