import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Flow } from "../../src/trace/track/flow.ts";
import type { KernelSocket } from "../../src/trace/kernel/parse_sockets.ts";
import { ListenerWatch } from "../../src/trace/kernel/listener_watch.ts";
import { readSockets } from "../../src/trace/kernel/read_sockets.ts";
import type { recordOf } from "../../src/trace/report/record.ts";
import { diagnose } from "../../src/trace/report/diagnosis.ts";
import { outcomeOf } from "../../src/trace/report/outcome.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { captureLoopback, testLive, TIME_LIMIT, waitForFlow } from "./watch.ts";

function listen(backlog?: number): Deno.TcpListener {
  const options = { hostname: "127.0.0.1", port: 0 };
  return Deno.listen(backlog === undefined ? options : { ...options, tcpBacklog: backlog });
}

/** The kernel's states of both ends. */
function kernelStates({ client, server }: Flow): (string | undefined)[] {
  const sockets = readSockets();
  const stateOf = (local: number, peer: number) =>
    sockets.find((socket: KernelSocket) => socket.localPort === local && socket.peerPort === peer)
      ?.state;
  return [stateOf(client.port, server.port), stateOf(server.port, client.port)];
}

testLive("Tracked states are the kernel's, from handshake to TIME_WAIT", async () => {
  using listener = listen();
  await using watch = await captureLoopback(listener.addr.port);
  using client = await Deno.connect({ port: listener.addr.port });
  const accepted = await listener.accept();

  const flow = await waitForFlow(watch, ({ establishedAt }) => establishedAt !== undefined);
  assertEquals(kernelStates(flow), [flow.client.state, flow.server.state]);
  assertEquals(flow.client.state, "ESTABLISHED");

  await client.closeWrite();
  await waitForFlow(watch, ({ client }) => client.isFinAcked);
  assertEquals([flow.client.state, flow.server.state], ["FIN_WAIT2", "CLOSE_WAIT"]);
  assertEquals(kernelStates(flow), ["FIN_WAIT2", "CLOSE_WAIT"]);

  accepted.close();
  await waitForFlow(watch, ({ finishedAt }) => finishedAt !== undefined);
  assertEquals([flow.client.state, flow.server.state], ["TIME_WAIT", "CLOSED"]);
  assertEquals(kernelStates(flow), ["TIME_WAIT", undefined]);
});

testLive("A connection to a closed port is refused", async () => {
  // While the port is bound on one address, no other test can bind it on all addresses.
  using listener = listen();
  const { port } = listener.addr;
  await using watch = await captureLoopback(port);
  await assertRejects(
    () => Deno.connect({ hostname: "127.0.0.2", port }),
    Deno.errors.ConnectionRefused,
  );
  const flow = await waitForFlow(watch, ({ finishedAt }) => finishedAt !== undefined);
  assertEquals(outcomeOf(flow), "refused");
});

testLive(
  "A full accept queue does not answer, and the diagnosis names it",
  async () => {
    using listener = listen(1);
    const { port } = listener.addr;
    await using watch = await captureLoopback(port);
    const kernel = new ListenerWatch();
    using _first = await Deno.connect({ port });
    using _second = await Deno.connect({ port });
    const giveUp = new AbortController();
    const third = Deno.connect({ port, signal: giveUp.signal }).then(
      (conn) => conn.close(),
      () => {},
    );

    const flow = await waitForFlow(watch, ({ client }) => client.syns > 1);
    assertEquals([outcomeOf(flow), flow.client.state], ["unanswered", "SYN_SENT"]);
    assertEquals(kernelStates(flow), ["SYN_SENT", undefined]);
    const { next = "" } = diagnose(flow, kernel.stateFor(flow));
    assert(next.startsWith(`The accept queue of port ${port} is full (accept queue 2`), next);
    assert(!next.includes("ListenOverflows +0"), next);
    giveUp.abort();
    await third;
  },
);

testLive("j and k are the ISNs that tcpdump -S and tshark print", async () => {
  using folder = new TemporaryFolder();
  const file = `${folder.path}/handshakes.pcap`;
  using listener = listen();
  const { port } = listener.addr;
  await using tcpdump = new Program(
    ["tcpdump", "-i", "lo", "-s", "256", "-U", "--immediate-mode", "-w", file, `tcp port ${port}`],
  );
  await tcpdump.logs(/listening on/);
  // A loaded machine may lose packets, so all three programs read the same file.
  const ours = await tracedOnce(file, {
    async before() {
      using _client = await Deno.connect({ port });
      (await listener.accept()).close();
    },
    isEnough: (traced) => traced.filter(({ verdict }) => verdict === "established").length >= 5,
    async after() {
      tcpdump.signal("SIGINT");
      await tcpdump.outcome();
    },
  });
  const theirs = await run(["tcpdump", "-S", "-n", "-r", file, "tcp[13] & 2 != 0"]);
  const numbers = theirs.stdout.matchAll(/Flags \[S(\.?)\], seq (\d+),/g);
  const syns = ours.flatMap(({ client, server }) => [` ${client.isn}`, `. ${server.isn}`])
    .filter((syn) => !syn.endsWith("null"));
  assertEquals(
    syns.toSorted(),
    [...new Set([...numbers].map(([, dot, seq]) => `${dot} ${seq}`))].toSorted(),
  );
  if (isInstalled("tshark")) {
    assertEquals(
      (await isnsOfTshark(file)).toSorted(),
      ours.map(({ client }) => client.isn).filter((isn) => isn !== null).toSorted(),
    );
  }
});

type Traced = ReturnType<typeof recordOf>;

async function traced(file: string): Promise<Traced[]> {
  const { stdout } = await run(outlet("trace", "--read", file, "--json"));
  return stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line) as Traced);
}

/** Traces a growing capture until it holds enough, then once more. */
async function tracedOnce(
  file: string,
  { before, isEnough, after }: {
    before(): Promise<void>;
    isEnough(traced: Traced[]): boolean;
    after(): Promise<void>;
  },
): Promise<Traced[]> {
  const deadline = performance.now() + TIME_LIMIT;
  let latest: Traced[] = [];
  while (!isEnough(latest)) {
    if (performance.now() > deadline) throw new Error(`only ${JSON.stringify(latest)}`);
    await before();
    latest = await traced(file);
  }
  await after();
  return await traced(file);
}

async function isnsOfTshark(file: string): Promise<number[]> {
  const filter = "tcp.flags.syn==1 && tcp.flags.ack==0";
  const fields = ["-T", "fields", "-e", "tcp.seq_raw"];
  const { stdout } = await run(["tshark", "-r", file, "-Y", filter, ...fields]);
  return [...new Set(stdout.trim().split("\n").map(Number))];
}

class TemporaryFolder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "outlet-trace-" });

  constructor() {
    // tcpdump drops its privileges before it opens the file.
    Deno.chmodSync(this.path, 0o777);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

testLive(
  "outlet trace shows a live handshake and ends its tcpdump",
  async () => {
    using listener = listen();
    const { port } = listener.addr;
    await using trace = new Program(outlet("trace", "--port", `${port}`, "--interface", "lo"));
    await trace.logs(/capturing on lo/);
    const client = await Deno.connect({ port });
    await trace.prints(/Established in/);
    (await listener.accept()).close();
    client.close();
    await trace.prints(/TIME_WAIT|CLOSED/);
    const children = await childrenOf(trace.pid);
    assertEquals(children.length, 1);
    trace.signal("SIGINT");
    const { code } = await trace.outcome();
    assertEquals(code, 0);
    assertEquals(children.filter(isAlive), []);
  },
);

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await run(["ps", "-o", "pid=", "--ppid", `${pid}`]);
  return stdout.trim().split(/\s+/).map(Number).filter((child) => child > 0);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

testLive("A second signal leaves no tcpdump running", async () => {
  await using trace = new Program(outlet("trace", "--port", "9", "--interface", "lo"));
  await trace.logs(/capturing on lo/);
  const [tcpdump] = await childrenOf(trace.pid);
  trace.signal("SIGINT");
  trace.signal("SIGTERM");
  await trace.outcome();
  await run(["tail", `--pid=${tcpdump}`, "-f", "/dev/null"]);
  assertEquals(isAlive(tcpdump!), false);
});

testLive("A closed pipe ends the trace and its tcpdump", async () => {
  using listener = listen();
  const { port } = listener.addr;
  const [command, ...args] = outlet("trace", "--port", `${port}`, "--interface", "lo", "--json");
  const trace = new Deno.Command(command, { args, stdout: "piped", stderr: "piped" }).spawn();
  const errors = trace.stderr.getReader();
  await errors.read();
  const children = await childrenOf(trace.pid);
  await trace.stdout.cancel();
  (await Deno.connect({ port })).close();
  (await listener.accept()).close();
  const { code } = await trace.status;
  await errors.cancel();
  assertEquals([code, children.length, children.filter(isAlive)], [0, 1, []]);
});

testLive("--count stops after so many connections", async () => {
  using listener = listen();
  const { port } = listener.addr;
  await using trace = new Program(
    outlet("trace", "--port", `${port}`, "--interface", "lo", "--json", "--count", "2"),
  );
  await trace.logs(/capturing on lo/);
  for (let i = 0; i < 3; i += 1) {
    using _client = await Deno.connect({ port });
    (await listener.accept()).close();
  }
  const { code, stdout } = await trace.outcome();
  assertEquals([code, stdout.trim().split("\n").length], [0, 2]);
});
