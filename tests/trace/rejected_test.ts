/** RSTs of closed ports and of firewalls, and what distinguishes them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HandshakeRecord } from "../../src/trace/report/record.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { LiveTrace } from "./live_trace.ts";
import { rejectByNft, TwoMachines } from "./namespaces.ts";
import { testWithNft } from "./watch.ts";

const PORTS = { open: 80, closed: 81, rejectedThere: 82, rejectedOnTheWay: 83 };

/** A program that listens on ports, in IPv4 and IPv6, and never accepts. */
function listenOn(...ports: number[]): string[] {
  const script = `for (const port of [${ports}]) Deno.listen({ port, hostname: "::" });` +
    `console.log("listening"); setInterval(() => {}, 1e6);`;
  return [Deno.execPath(), "eval", "--quiet", script];
}

/** The diagnosis of a connection to each port, traced on the client. */
async function nextStepsOf(
  machines: TwoMachines,
  target: string,
): Promise<Record<keyof typeof PORTS, string | null>> {
  const ports = Object.values(PORTS);
  const args = ["-i", "wire", "--json"];
  await using trace = await LiveTrace.start(machines.onClient(...outlet("trace", ...args)));
  for (const port of ports) {
    await run(machines.onClient(...outlet("client", "-z", target, `${port}`)));
  }
  const stdout = await trace.ended();
  const records = stdout.trim().split("\n").map((line) => JSON.parse(line) as HandshakeRecord);
  const entries = Object.entries(PORTS).map(([name, port]) => {
    const record = records.find(({ server }) => server.address.endsWith(`:${port}`));
    assertEquals(record?.verdict, port === PORTS.open ? "established" : "refused");
    return [name, record!.next];
  });
  return Object.fromEntries(entries) as Record<keyof typeof PORTS, string | null>;
}

testWithNft(
  "RSTs of kernels and of nftables are distinguished as far as they differ",
  async () => {
    await using machines = await TwoMachines.make();
    const behind = await machines.addMachineBehind();
    await using server = new Program(behind.on(...listenOn(80, 82, 83)));
    await server.prints(/listening/);
    await rejectByNft({ port: PORTS.rejectedThere, hook: "input" }, behind.on);
    await rejectByNft(
      { port: PORTS.rejectedOnTheWay, hook: "forward" },
      (...args) => machines.onServer(...args),
    );

    const [version4, version6] = behind.addresses;
    const plain = await nextStepsOf(machines, version4);
    // In IPv4 both have the same header.
    for (const next of [plain.closed!, plain.rejectedThere!]) {
      assertMatch(
        next,
        /TTL of the host's other segments, 63: the host itself sent it \(inferred\)/,
      );
      assertMatch(next, /nothing listens on port \d+ or its own firewall rejects/);
    }
    assertMatch(plain.rejectedOnTheWay!, /TTL of 64, .* have 63: a firewall on the way .*inferred/);

    const labelled = await nextStepsOf(machines, version6);
    assertMatch(labelled.closed!, /and a flow label as they have: its kernel sent it.*inferred/);
    assertMatch(labelled.rejectedThere!, /no flow label as they have: its own firewall.*inferred/);
    assertMatch(
      labelled.rejectedOnTheWay!,
      /TTL of 64, .* have 63: a firewall on the way .*inferred/,
    );
  },
);

testWithNft(
  "On its own machine, the client distinguishes a closed port from a firewall",
  async () => {
    await using machines = await TwoMachines.make();
    await using listener = new Program(machines.onServer(...listenOn(PORTS.rejectedThere)));
    await listener.prints(/listening/);
    await rejectByNft(
      { port: PORTS.rejectedThere, hook: "input" },
      (...args) => machines.onServer(...args),
    );
    const says: [port: number, text: RegExp][] = [
      [
        PORTS.rejectedThere,
        /refused, though something listens on that port of this machine: a firewall/,
      ],
      [PORTS.closed, /refused: nothing listens on that port of this machine$/m],
    ];
    for (const [port, text] of says) {
      for (
        const options of [[], ["-z"], ["--bench", "--duration", "5s", "--connections", "1"]]
      ) {
        const command = outlet("client", ...options, machines.serverAddress, `${port}`);
        const { code, stdout, stderr } = await run(machines.onServer(...command));
        assertEquals(code, 1);
        assertMatch(stdout + stderr, text, options.join(" "));
      }
      const command = outlet("client", "--retry", "1", machines.serverAddress, `${port}`);
      const { stderr } = await run(machines.onServer(...command));
      assertMatch(stderr, /on that port of this machine.*; trying again/);
    }
    // Unknown on other machines.
    const { stderr } = await run(
      machines.onClient(...outlet("client", machines.serverAddress, `${PORTS.closed}`)),
    );
    assert(
      stderr.includes(
        "connection refused: nothing listens on that port, or a firewall rejects it",
      ),
      stderr,
    );
  },
);
