/** Errors of this machine, not of the peer: no ports, no descriptors, no interface. */
import { assertEquals, assertMatch } from "@std/assert";
import { NameServerMachine } from "../harness/name_server.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";
import { testInNamespaces } from "../trace/watch.ts";

/** A machine whose kernel has two ephemeral ports. */
async function machineWithTwoPorts(): Promise<NameServerMachine> {
  const machine = await NameServerMachine.make();
  await run(machine.on("sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40001"));
  return machine;
}

testInNamespaces(
  "a port that the kernel connects to itself is reported as refused, not open",
  async () => {
    await using machine = await machineWithTwoPorts();
    const client = (...args: string[]) => run(machine.on(...outlet("client", ...args)));
    const often = ["--count", "20", "--interval", "1ms", "--json"];
    for (const port of ["40000", "40001"]) {
      const { code, stdout } = await client("-z", "127.0.0.1", port, ...often);
      const { state, open } = JSON.parse(stdout);
      assertEquals([code, state, open], [1, "refused", 0]);
    }
  },
);

testInNamespaces("a lack of local ports is reported as such", async () => {
  await using machine = await machineWithTwoPorts();
  await using server = new Program(machine.on(...outlet("server", "echo://127.0.0.1:7007")));
  await server.logs(/ready/);
  await using connected = new Program(machine.on(
    "python3",
    "-c",
    "import socket,sys\n" +
      "all = [socket.create_connection(('127.0.0.1', 7007)) for _ in range(2)]\n" +
      "print('connected', flush=True); sys.stdin.read()",
  ));
  await connected.prints(/connected/);
  const { stderr, stdout } = await run(
    machine.on(...outlet("client", "-z", "127.0.0.1", "7007", "--json")),
  );
  assertMatch(stderr, /no free local port for this destination/);
  assertEquals(JSON.parse(stdout).state, "unprobed");
  const refused = await run(machine.on(...outlet("server", "echo://127.0.0.1:40000")));
  assertMatch(refused.stderr, /an outgoing connection of this machine uses port 40000/);
  const taken = await run(machine.on(...outlet("server", "echo://127.0.0.1:7007")));
  assertMatch(taken.stderr, /stop what listens there/);
});

testInNamespaces(
  "forward takes no client for a loop that has the same local port as its connection to the upstream",
  async () => {
    await using machine = await machineWithTwoPorts();
    const args = ["echo://127.0.0.1:7007", "forward://127.0.0.1:7008?to=127.0.0.1:7007"];
    await using server = new Program(machine.on(...outlet("server", ...args)));
    await server.logs(/ready/);
    // Two clients at once have both ports, and so have the two connections to the upstream.
    await using connected = new Program(machine.on(
      "python3",
      "-c",
      "import socket\n" +
        "all = [socket.create_connection(('127.0.0.1', 7008)) for _ in range(2)]\n" +
        "for one in all: one.sendall(b'hello')\n" +
        "print(b' '.join(one.recv(5) for one in all).decode())",
    ));
    await connected.prints(/hello hello/);
  },
);

testWith(["prlimit"], "a scan stays within the descriptor limit", async () => {
  const args = outlet("client", "-z", "127.0.0.1", "1-3000", "--json");
  const { stdout } = await run(["prlimit", "--nofile=64:64", ...args]);
  const states = new Set(JSON.parse(stdout).map(({ state }: { state: string }) => state));
  assertEquals([...states].filter((state) => state !== "refused" && state !== "open"), []);
});

testInNamespaces(
  "a link-local address needs an interface, and a server prints it with one",
  async () => {
    await using machine = await NameServerMachine.make();
    await run(machine.on("ip", "link", "add", "wire", "type", "veth", "peer", "name", "end"));
    await run(machine.on("ip", "link", "set", "end", "up"));
    await run(machine.on("ip", "link", "set", "wire", "up"));
    await run(machine.on("ip", "-6", "addr", "add", "fe80::77/64", "dev", "wire", "nodad"));
    for (const mode of [["client", "fe80::77", "7007"], ["server", "echo://[fe80::77]:7007"]]) {
      const { code, stderr } = await run(machine.on(...outlet(...mode)));
      assertEquals(code, 2);
      assertMatch(stderr, /its interface: fe80::77%INTERFACE \(RFC 4007\)/);
    }
    await using server = new Program(
      machine.on(...outlet("server", "echo://[fe80::77%wire]:7007")),
    );
    await server.logs(/listening echo on \[fe80::77%wire\]:7007/);
    const args = outlet("client", "fe80::77%wire", "7007");
    const { stdout } = await run(machine.on(...args), { stdin: "hello\n" });
    assertEquals(stdout, "hello\n");
    const { stderr } = await run(machine.on(...outlet("client", "fe80::77%none", "7007")));
    assertMatch(stderr, /this machine has no interface none/);
  },
);
