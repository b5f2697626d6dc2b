/** Accepting under load, as a process: bursts of connections, and no free descriptors. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

/** A server process, and the port of its first outlet; `limit` is its descriptor limit. */
async function start(
  args: readonly string[],
  { limit }: { limit?: number } = {},
): Promise<{ server: Program; port: number }> {
  const command = outlet("server", ...args, "--log-format", "json");
  const server = new Program(
    limit === undefined ? command : ["prlimit", `--nofile=${limit}:${limit}`, ...command],
  );
  const [, port] = await server.logs(/"event":"listening".*"address":"[^"]*:(\d+)"/);
  await server.logs(/"event":"ready"/);
  return { server, port: Number(port) };
}

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

async function echoes(client: Deno.Conn): Promise<void> {
  await send(client, "word\n");
  assertEquals(await readUntil(client, /\n/), "word\n");
}

/** Clients that all connect at once. */
function connectMany(port: number, count: number): Promise<Deno.TcpConn[]> {
  return Promise.all(Array.from({ length: count }, () => connect(port)));
}

function isServed(client: Deno.Conn): Promise<boolean> {
  return echoes(client).then(() => true, () => false);
}

async function isServedAnew(port: number): Promise<boolean> {
  using client = await connect(port);
  return await isServed(client);
}

/** CPU time that the process has used, in clock ticks of 10 ms. */
async function ticksOf({ pid }: Program): Promise<number> {
  const fields = (await Deno.readTextFile(`/proc/${pid}/stat`)).replace(/^.*\) /, "").split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function descriptorsOf({ pid }: Program): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
}

Deno.test("5,000 clients that connect at once are all served, and 100 connected ones continue", async () => {
  // If its accept queue overflows, the kernel may keep connections without a client (SYN cookies),
  // which the idle timeout closes.
  const { server, port } = await start(["echo://:0?idle-timeout=20s"]);
  await using _ = server;
  const connected = await connectMany(port, 100);
  await Promise.all(connected.map(echoes));
  const before = await descriptorsOf(server);
  const burst = await connectMany(port, 5000);
  await Promise.all([...connected, ...burst].map(echoes));
  for (const client of burst) client.close();
  do {
    await Promise.all(connected.map(echoes));
    await delay(50);
  } while (await descriptorsOf(server) > before);
  for (const client of connected) client.close();
  server.signal("SIGTERM");
  const { stderr, code } = await server.outcome();
  assertEquals([code, stderr.includes('"refused"')], [0, false]);
});

testWith(
  ["prlimit"],
  "with 256 descriptors, connections over the limit are refused, and the others are served",
  async () => {
    const metrics = freePort();
    const { server, port } = await start(["echo://:0", "--metrics", `:${metrics}`], { limit: 256 });
    await using _ = server;
    const clients: Deno.TcpConn[] = [];
    // At most as many at once as fit in any accept queue.
    while (clients.length < 300) clients.push(...await connectMany(port, 100));
    const served = await Promise.all(clients.map(isServed));
    const admitted = clients.filter((_, i) => served[i]);
    assert(admitted.length > 150 && admitted.length < 256, `${admitted.length} were let in`);
    await Promise.all(admitted.map(echoes));
    const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    const label = `{outlet="echo",address="127.0.0.1:${port}"`;
    assertMatch(page, new RegExp(`outlet_connections_open${label}} ${admitted.length}\n`));
    assertMatch(
      page,
      new RegExp(
        `_refused_total${label},reason="connection limit reached"} ${300 - admitted.length}\n`,
      ),
    );
    for (const client of clients) client.close();
    while (!await isServedAnew(port));
  },
);

testWith(
  ["prlimit"],
  "without a free descriptor a server neither ends nor uses a busy loop, and recovers",
  async () => {
    const { server, port } = await start(["echo://:0"]);
    await using _ = server;
    using open = await connect(port);
    await echoes(open);
    // Less than the limit at its start, which the server does not expect.
    const limit = await descriptorsOf(server) + 20;
    await run(["prlimit", `--pid=${server.pid}`, `--nofile=${limit}:${limit}`]);
    const clients = await connectMany(port, 100);
    await server.logs(/"code":"EMFILE"/);
    const [ticks, begin] = [await ticksOf(server), performance.now()];
    // Time for two failed attempts: the back-off doubles.
    await server.logs(/(?:"EMFILE"[^]*){6}/);
    const busy = (await ticksOf(server) - ticks) * 10 / (performance.now() - begin);
    assert(busy < 0.2, `${busy} of a core`);
    await echoes(open);
    for (const client of clients) client.close();
    await eventually(() => isServedAnew(port), "a server that serves again");
  },
);

Deno.test("none of 10,000 connects fails while the config changes 20 times", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/outlet.json`;
  const port = freePort();
  const write = async (round: number) => {
    const odd = round % 2 === 1;
    const outlets = [
      { service: "echo", listen: `:${port}`, "max-per-ip": 5000 + round },
      { service: "time", listen: ":0", ...odd ? { rate: 9 } : {} },
      ...odd ? [{ service: "discard", listen: ":0" }] : [],
    ];
    await Deno.writeTextFile(`${file}.new`, JSON.stringify({ outlets, "log-level": "error" }));
    await Deno.rename(`${file}.new`, file);
  };
  // The server notifies a service manager when it is ready, and after each change.
  const manager = Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/notify` });
  const notified = async (status: string) => {
    for (let text = ""; !text.includes(status);) {
      text = new TextDecoder().decode((await manager.receive())[0]);
    }
  };
  await write(0);
  await using server = new Program(outlet("server", "--config", file), {
    env: { NOTIFY_SOCKET: `${folder}/notify` },
  });
  await notified("2 outlets open");
  let done = false;
  const reloads = async () => {
    for (let round = 1; round <= 20; round++) {
      await write(round);
      server.signal("SIGHUP");
      await notified("STATUS=reloaded");
    }
    done = true;
  };
  let started = 0;
  const visit = async () => {
    while (started++ < 10_000 || !done) {
      using client = await connect(port);
      await echoes(client);
    }
  };
  await Promise.all([reloads(), ...Array.from({ length: 50 }, visit)]);
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).code, 0);
  manager.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an invalid config changes nothing, and a valid one after it is applied", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/outlet.json`;
  const config = { outlets: [{ service: "echo", listen: ":0" }] };
  await Deno.writeTextFile(file, JSON.stringify(config));
  const { server, port } = await start(["--config", file]);
  await using _ = server;
  using before = await connect(port);
  await echoes(before);
  await Deno.writeTextFile(file, '{ "outlets": [{ "service": "ecko" }] }');
  await server.logs(/"event":"rejected".*did you mean \\"echo\\"/);
  await echoes(before);
  await Deno.writeTextFile(file, JSON.stringify({ ...config, deny: ["127.0.0.1"] }));
  await server.logs(/"event":"reloaded"/);
  await echoes(before);
  using after = await connect(port);
  assertEquals(await readText(after), "");
  await server.logs(/denied by rule/);
  await Deno.remove(folder, { recursive: true });
});
