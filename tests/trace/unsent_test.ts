/** `outlet client --trace` if no SYN is sent, or a firewall answers. */
import { handledElsewhere } from "../../src/scheduling/task_scope.ts";
import { assert, assertMatch } from "@std/assert";
import { outlet, Program, run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { LiveTrace, traceArgs } from "./live_trace.ts";
import { TwoMachines } from "./namespaces.ts";
import { testInNamespaces } from "./watch.ts";

const PORT = 7777;
const IPTABLES = isInstalled("iptables");

/** A test in namespaces with iptables rules. */
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

async function traceClient(machines: TwoMachines, address: string, wait = "20s"): Promise<string> {
  const args = outlet("client", "--trace", "-w", wait, address, `${PORT}`);
  const { code, stderr } = await run(machines.onClient(...args), { stdin: "" });
  assert(code === 1, stderr);
  return stderr;
}

/** Asserts that no segment is shown, and the stated cause. */
function assertUnsent(text: string, cause: RegExp): void {
  assert(!/[▶◀]/.test(text), text);
  assertMatch(text, /│ nothing was on the wire/);
  assertMatch(text.replace(/\n\s*/g, " "), cause);
}

testInNamespaces("Without an ARP reply, the diagnosis is that no SYN was sent", async () => {
  await using machines = await TwoMachines.make();
  const text = await traceClient(machines, "10.77.0.99");
  assertUnsent(
    text,
    /No SYN left this machine: no answer to ARP for 10\.77\.0\.99 on wire\..*ip neigh show/,
  );
});

testInNamespaces(
  "If the attempt times out before ARP does, the diagnosis is also that no SYN was sent",
  async () => {
    await using machines = await TwoMachines.make();
    assertUnsent(
      await traceClient(machines, "10.77.0.99", "1500ms"),
      /no answer to ARP for 10\.77/,
    );
  },
);

testInNamespaces("Without a route, the diagnosis is that no SYN was sent", async () => {
  await using machines = await TwoMachines.make();
  assertUnsent(
    await traceClient(machines, "203.0.113.9"),
    /No SYN left this machine: there is no route to 203\.0\.113\.9\./,
  );
});

testInNamespaces("With an unreachable route, the diagnosis is that no SYN was sent", async () => {
  await using machines = await TwoMachines.make();
  await machines.routeNowhere("10.99.0.0/16");
  assertUnsent(
    await traceClient(machines, "10.99.0.1"),
    /its route to 10\.99\.0\.1 is "unreachable"/,
  );
});

testWithFirewall(
  "If a local rule drops it, the diagnosis is that no SYN was sent",
  async (machines) => {
    await machines.addRule(
      "client",
      "-A",
      "OUTPUT",
      "-p",
      "tcp",
      "--dport",
      `${PORT}`,
      "-j",
      "DROP",
    );
    assertUnsent(
      await traceClient(machines, machines.serverAddress, "2s"),
      /a firewall on this machine drops it \(inferred\)\..*iptables-save/,
    );
  },
);

for (const answer of ["tcp-reset", "icmp-port-unreachable"]) {
  testWithFirewall(
    `If a local rule rejects it with ${answer}, the diagnosis is that no SYN was sent`,
    async (machines) => {
      const rule = ["-A", "OUTPUT", "-p", "tcp", "--dport", `${PORT}`, "-j", "REJECT"];
      await machines.addRule("client", ...rule, "--reject-with", answer);
      assertUnsent(
        await traceClient(machines, machines.serverAddress),
        /a firewall on this machine rejects it \(inferred\)/,
      );
    },
  );
}

testWithFirewall("Both causes of a RST are named", async (machines) => {
  const text = await traceClient(machines, machines.serverAddress);
  assertMatch(text, /Refused after .*: a reset answered the SYN\./);
  assertMatch(text, /Nothing listens on port 7777, or a firewall rejects with a TCP reset/);
});

testWithFirewall(
  "On the server's machine, the kernel distinguishes the causes of a RST",
  async (machines) => {
    await using trace = await LiveTrace.start(machines.onServer(...traceArgs(PORT)));
    await traceClient(machines, machines.serverAddress);
    await trace.prints(/Nothing listens on port 7777 of this machine/);

    const script =
      `Deno.listen({ port: ${PORT} }); console.log("listening"); setInterval(() => {}, 1e6)`;
    await using listener = new Program(
      machines.onServer(Deno.execPath(), "eval", "--quiet", script),
    );
    await listener.prints(/listening/);
    const rule = ["-A", "INPUT", "-p", "tcp", "--dport", `${PORT}`, "-j", "REJECT"];
    await machines.addRule("server", ...rule, "--reject-with", "tcp-reset");
    // The kernel's answer is cached, so only a later attempt shows the new one.
    let isDone = false;
    const diagnosed = trace.prints(
      /Something listens on port 7777 of this machine: a firewall rejects/,
    )
      .finally(() => isDone = true);
    handledElsewhere(diagnosed);
    while (!isDone) await traceClient(machines, machines.serverAddress);
    await diagnosed;
  },
);

testWithFirewall(
  'An "administratively prohibited" ICMP error is not reported as a missing route',
  async (machines) => {
    const rule = ["-A", "INPUT", "-p", "tcp", "--dport", `${PORT}`, "-j", "REJECT"];
    await machines.addRule("server", ...rule, "--reject-with", "icmp-admin-prohibited");
    const text = await traceClient(machines, machines.serverAddress);
    assertMatch(text, /Forbidden: 10\.77\.0\.2 reports communication prohibited by a filter\./);
    assertMatch(text, /→ There is a route, but a firewall on 10\.77\.0\.2/);
  },
);
