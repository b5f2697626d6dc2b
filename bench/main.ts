/**
 * What outlet costs: `echo` beside a bare Deno read/write loop, driven in turn, in one run.
 *
 *     deno task bench [ROUNDS]
 *
 * It prints the medians, their spread, and the processor time that the server took for each operation, which is
 * the steadier figure on a machine that does other things too; then outlet's share of the bare loop's.
 *
 * @module
 */
const ROUNDS = Number(Deno.args[0] ?? 5);
const SECONDS = 2;
const CLIENTS = 50;

/** A program that echoes on a port. */
interface Subject {
  readonly name: string;
  readonly port: number;
  readonly process: Deno.ChildProcess;
}

/** A way to load it: how much went through in a second, in its own unit. */
interface Load {
  readonly name: string;
  readonly unit: string;
  /** What the processor time is told for. */
  readonly each: string;
  run(port: number): Promise<number>;
}

const LOADS: readonly Load[] = [
  {
    name: `64-byte round trips, ${CLIENTS} connections`,
    unit: "/s",
    each: "µs a round trip",
    run: roundTrips,
  },
  { name: "one stream", unit: " MB/s", each: "µs a MB", run: stream },
];

const subjects = await Promise.all([
  start("outlet echo", [
    "main.ts",
    "server",
    "--log-level",
    "error",
    "--service",
    "echo",
    "--port",
  ]),
  start("bare Deno", ["bench/bare_echo.ts"]),
]);
try {
  for (const load of LOADS) await compare(load);
} finally {
  for (const { process } of subjects) {
    process.kill("SIGKILL");
    await process.status;
  }
}

async function compare({ name, unit, each, run }: Load): Promise<void> {
  console.log(`\n${name}`);
  const figures = subjects.map(() => ({ speeds: [] as number[], costs: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { port, process }] of subjects.entries()) {
      const before = processorSeconds(process.pid);
      const speed = await run(port);
      const spent = processorSeconds(process.pid) - before;
      figures[i]!.speeds.push(speed);
      figures[i]!.costs.push(spent * 1e6 / (speed * SECONDS));
    }
  }
  for (const [i, subject] of subjects.entries()) {
    const { speeds, costs } = figures[i]!;
    const [low, high] = [Math.min(...speeds), Math.max(...speeds)].map(Math.round);
    console.log(
      `  ${subject.name.padEnd(12)} ${Math.round(median(speeds))}${unit} (${low} to ${high}), ` +
        `${median(costs).toFixed(1)} ${each} of processor time`,
    );
  }
  const [ours, bare] = figures.map(({ speeds, costs }) => [median(speeds), median(costs)] as const);
  console.log(
    `  ratio        ${(ours![0] / bare![0]).toFixed(3)} of its speed, ` +
      `${(ours![1] / bare![1]).toFixed(3)} of its processor time`,
  );
}

async function start(name: string, words: readonly string[]): Promise<Subject> {
  const port = freePort();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...words, String(port)],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  for (;;) {
    try {
      (await connect(port)).close();
      return { name, port, process };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function roundTrips(port: number): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  const counts = await Promise.all(Array.from({ length: CLIENTS }, async () => {
    using conn = await connect(port);
    const message = new Uint8Array(64).fill(0x61);
    const buffer = new Uint8Array(64);
    let count = 0;
    for (; performance.now() < end; count++) {
      await conn.write(message);
      for (let got = 0; got < message.length;) {
        const n = await conn.read(buffer);
        if (n === null) throw new Error("the echo ended early");
        got += n;
      }
    }
    return count;
  }));
  return counts.reduce((sum, count) => sum + count, 0) / SECONDS;
}

async function stream(port: number): Promise<number> {
  using conn = await connect(port);
  const end = performance.now() + SECONDS * 1000;
  const block = new Uint8Array(256 * 1024);
  const sending = (async () => {
    while (performance.now() < end) await conn.write(block);
    await conn.closeWrite();
  })();
  let received = 0;
  for (let n = await conn.read(block); n !== null; n = await conn.read(block)) received += n;
  await sending;
  return received / SECONDS / 1e6;
}

/** User and system time of a process so far (proc(5): fields 14 and 15, in hundredths of a second). */
function processorSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)]!;
}
