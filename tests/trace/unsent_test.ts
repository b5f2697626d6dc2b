/** `outlet client --trace` where nothing leaves the machine, and where a firewall answers for a server. */
import { handledElsewhere } from "../../src/scheduling/task_scope.ts";
import { assert, assertMatch } from "@std/assert";
import { outlet, Program, run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { LiveTrace, traceWords } from "./live_trace.ts";
import { TwoMachines } from "./namespaces.ts";
import { testInNamespaces } from "./watch.ts";

const PORT = 7777;
const IPTABLES = isInstalled("iptables");

/** A test in namespaces with rules of a firewall. */
function testWithFirewall(name: string, body: (machines: TwoMachines) => Promise<void>): void {
  if (!IPTABLES) {
    Deno.test({ name: `${name} (ignored: needs iptables)`, ignore: true, fn() {} });
    return;
  }
  testInNamespaces(name, async () => {
    await using machines = await TwoMachines.make();
    await body(machines);
  });
}

async function traceOf(machines: TwoMachines, address: string, wait = "20s"): Promise<string> {
  const words = outlet("client", "--trace", "-w", wait, address, `${PORT}`);
  const { code, stderr } = await run(machines.onClient(...words), { stdin: "" });
  assert(code === 1, stderr);
  return stderr;
}

/** That no segment was drawn, and what is said instead. */
function assertUnsent(text: string, cause: RegExp): void {
  assert(!/[▶◀]/.test(text), text);
  assertMatch(text, /│ nothing was on the wire/);
  assertMatch(text.replace(/\n\s*/g, " "), cause);
}

testInNamespaces("Where nobody answers ARP, no SYN has left, and that is said", async () => {
  await using machines = await TwoMachines.make();
  const text = await traceOf(machines, "10.77.0.99");
  assertUnsent(
    text,
    /No SYN left this machine: nobody answers ARP for 10\.77\.0\.99 on wire\..*ip neigh show/,
  );
});

testInNamespaces("The same, where the attempt is given up before ARP is", async () => {
  await using machines = await TwoMachines.make();
  assertUnsent(await traceOf(machines, "10.77.0.99", "1500ms"), /nobody answers ARP for 10\.77/);
});

testInNamespaces("Where there is no route, no SYN has left, and that is said", async () => {
  await using machines = await TwoMachines.make();
  assertUnsent(
    await traceOf(machines, "203.0.113.9"),
    /No SYN left this machine: there is no route to 203\.0\.113\.9\./,
  );
});

testInNamespaces("Where a route is unreachable, no SYN has left, and that is said", async () => {
  await using machines = await TwoMachines.make();
  await machines.routeNowhere("10.99.0.0/16");
  assertUnsent(await traceOf(machines, "10.99.0.1"), /its route to 10\.99\.0\.1 is "unreachable"/);
});

testWithFirewall("Where a rule of this machine drops it, no SYN has left", async (machines) => {
  await machines.addRule("client", "-A", "OUTPUT", "-p", "tcp", "--dport", `${PORT}`, "-j", "DROP");
  assertUnsent(
    await traceOf(machines, machines.serverAddress, "2s"),
    /a firewall on this machine drops it \(inferred\)\..*iptables-save/,
  );
});

for (const answer of ["tcp-reset", "icmp-port-unreachable"]) {
  testWithFirewall(
    `Where a rule of this machine rejects it with ${answer}, no SYN has left`,
    async (machines) => {
      const rule = ["-A", "OUTPUT", "-p", "tcp", "--dport", `${PORT}`, "-j", "REJECT"];
      await machines.addRule("client", ...rule, "--reject-with", answer);
      assertUnsent(
        await traceOf(machines, machines.serverAddress),
        /a firewall on this machine rejects it \(inferred\)/,
      );
    },
  );
}

testWithFirewall("A reset has two causes, and both are named", async (machines) => {
  const text = await traceOf(machines, machines.serverAddress);
  assertMatch(text, /Refused after .*: a reset answered the SYN\./);
  assertMatch(text, /Nothing listens on port 7777, or a firewall rejects with a TCP reset/);
});

testWithFirewall(
  "On the server's machine, the kernel tells which of the two it is",
  async (machines) => {
    await using trace = await LiveTrace.start(machines.onServer(...traceWords(PORT)));
    await traceOf(machines, machines.serverAddress);
    await trace.prints(/Nothing listens on port 7777 of this machine/);

    const script =
      `Deno.listen({ port: ${PORT} }); console.log("listening"); setInterval(() => {}, 1e6)`;
    await using listener = new Program(
      machines.onServer(Deno.execPath(), "eval", "--quiet", script),
    );
    await listener.prints(/listening/);
    const rule = ["-A", "INPUT", "-p", "tcp", "--dport", `${PORT}`, "-j", "REJECT"];
    await machines.addRule("server", ...rule, "--reject-with", "tcp-reset");
    // What the kernel said a moment ago is not asked again for each attempt: one of the next is told with what it says now.
    let isOver = false;
    const told = trace.prints(/Something listens on port 7777 of this machine: a firewall rejects/)
      .finally(() => isOver = true);
    handledElsewhere(told);
    while (!isOver) await traceOf(machines, machines.serverAddress);
    await told;
  },
);

testWithFirewall(
  "A firewall that forbids with ICMP does not say that there is no route",
  async (machines) => {
    const rule = ["-A", "INPUT", "-p", "tcp", "--dport", `${PORT}`, "-j", "REJECT"];
    await machines.addRule("server", ...rule, "--reject-with", "icmp-admin-prohibited");
    const text = await traceOf(machines, machines.serverAddress);
    assertMatch(text, /Forbidden: 10\.77\.0\.2 reports communication prohibited by a filter\./);
    assertMatch(text, /→ There is a route, but a firewall on 10\.77\.0\.2/);
  },
);
