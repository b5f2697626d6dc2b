/**
 * Costs of a chat room: memory per member, processor time per line and per delivery, and bytes per
 * line on the bus; then a comparison of a model of these with several servers on one bus.
 *
 *     deno run -A bench/rooms.ts [LINES]
 *
 * Processor time is read from /proc, because it does not depend on other load of the machine.
 * docs/scaling.md explains the results.
 *
 * @module
 */
import { delay } from "@std/async/delay";

const LINES = Number(Deno.args[0] ?? 1_500);
const ROOT = new URL("../", import.meta.url).pathname;
const TEXT = "the quick brown fox jumps over the lazy dog";
const encoder = new TextEncoder();

/** A measured program. */
interface Subject {
  readonly port: number;
  readonly process: Deno.ChildProcess;
}

/** A server's costs of a line, in µs: a constant part, and a part per member. */
interface Cost {
  readonly line: number;
  readonly delivery: number;
}

/** A member that counts the lines that it receives. */
class Member {
  lines = 0;
  readonly #conn: Deno.TcpConn;
  #wake = () => {};

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#read().catch(() => {});
  }

  static async join(port: number): Promise<Member> {
    const member = new Member(await Deno.connect({ hostname: "127.0.0.1", port }));
    await member.reads(1);
    return member;
  }

  /** Resolves once it has received this many lines. */
  async reads(lines: number): Promise<void> {
    while (this.lines < lines) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  async say(text: string): Promise<void> {
    await this.#conn.write(encoder.encode(text + "\n"));
  }

  close(): void {
    this.#conn.close();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    for (let n = await this.#conn.read(buffer); n !== null; n = await this.#conn.read(buffer)) {
      const chunk = buffer.subarray(0, n);
      for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, at + 1)) this.lines++;
      this.#wake();
    }
  }
}

console.log(`${LINES} lines of ${TEXT.length} characters, one at a time`);
const [few, many] = [10, 250];
const [low, high] = [await measureAlone(few), await measureAlone(many)];
const delivery = (high - low) / (many - few);
const cost: Cost = { delivery, line: low - few * delivery };
console.log(`  a member: ${(await measureMemory()).toFixed(1)} KiB of resident memory`);
console.log(`  a line: ${cost.line.toFixed(0)} µs, and ${cost.delivery.toFixed(1)} µs a delivery`);

const remote = await measureTogether([100, 100]);
const receiving = remote.listening - cost.delivery * 100;
console.log("two servers, 100 members each, the speaker at the first");
console.log(
  `  bytes on the bus: ${remote.bytes.toFixed(0)} a line; NATS itself: ${
    remote.nats.toFixed(0)
  } µs`,
);
console.log(
  `  to send a line: ${(remote.speaking - cost.line - cost.delivery * 100).toFixed(0)} µs`,
);
console.log(`  to receive a line: ${receiving.toFixed(0)} µs`);

const check = await measureTogether([100, 200, 200]);
const predicted = receiving + cost.delivery * 200;
console.log("three servers, 100, 200 and 200 members: what the others spend on a line");
console.log(`  predicted ${predicted.toFixed(0)} µs, measured ${check.listening.toFixed(0)} µs`);

const batched = await measureTogether([100, 100], 50);
console.log("two servers, 100 members each, 50 lines at once");
console.log(`  to send and deliver a line: ${batched.speaking.toFixed(0)} µs`);
console.log(`  to receive and deliver a line: ${batched.listening.toFixed(0)} µs`);
console.log(
  `  bytes on the bus: ${batched.bytes.toFixed(0)} a line; NATS itself: ${
    batched.nats.toFixed(1)
  } µs`,
);

/** A line's cost on one server without a bus, in µs. */
async function measureAlone(members: number): Promise<number> {
  const server = await startServer();
  try {
    const [perLine] = await sendLines([server], await joinMany(server.port, members));
    return perLine!;
  } finally {
    await stop(server);
  }
}

/** The memory of an idle member on its server, in KiB. */
async function measureMemory(): Promise<number> {
  const rooms = Array.from({ length: 20 }, () => freePort());
  const specs = rooms.map((port) => `chat://:${port}`);
  const server = await startServer(...specs);
  try {
    for (const port of rooms) await joinMany(port, 10);
    const before = residentKiB(server.process.pid);
    for (const port of rooms) await joinMany(port, 100);
    return (residentKiB(server.process.pid) - before) / (100 * rooms.length);
  } finally {
    await stop(server);
  }
}

/**
 * Several servers on one bus, with the same number of members each; the first member of the first
 * sends.
 */
async function measureTogether(
  members: readonly number[],
  atOnce = 1,
): Promise<{ speaking: number; listening: number; bytes: number; nats: number }> {
  const monitor = freePort();
  const nats = await start(["nats-server", "-a", "127.0.0.1", "-m", String(monitor), "-p"]);
  const servers: Subject[] = [];
  try {
    const joined: Member[] = [];
    for (const count of members) {
      const server = await startServer("--bus", `nats://127.0.0.1:${nats.port}`);
      servers.push(server);
      await delay(1_000);
      joined.push(...await joinMany(server.port, count));
    }
    await delay(1_000);
    const before = await bytesAt(monitor);
    const [speaking, ...listening] = await sendLines([...servers, nats], joined, atOnce);
    const bytes = (await bytesAt(monitor) - before) / LINES;
    const own = listening.pop()!;
    return { speaking: speaking!, listening: mean(listening), bytes, nats: own };
  } finally {
    for (const subject of [...servers, nats]) await stop(subject);
  }
}

/**
 * Sends lines in batches, the next when all members have received the previous one; returns each
 * program's processor time per line, in µs.
 */
async function sendLines(
  subjects: readonly Subject[],
  [sender, ...listeners]: readonly Member[],
  atOnce = 1,
): Promise<number[]> {
  const message = Array(atOnce).fill(TEXT).join("\n");
  const say = async (lines: number) => {
    for (let sent = 0; sent < lines; sent += atOnce) {
      const due = listeners.map(({ lines }) => lines + atOnce);
      await sender!.say(message);
      await Promise.all(listeners.map((member, m) => member.reads(due[m]!)));
    }
  };
  await say(200);
  const before = subjects.map(({ process }) => processorSeconds(process.pid));
  await say(LINES);
  return subjects.map(({ process }, i) =>
    (processorSeconds(process.pid) - before[i]!) * 1e6 / LINES
  );
}

async function joinMany(port: number, count: number): Promise<Member[]> {
  const members: Member[] = [];
  while (members.length < count) {
    const some = Math.min(50, count - members.length);
    members.push(...await Promise.all(Array.from({ length: some }, () => Member.join(port))));
  }
  return members;
}

function startServer(...args: string[]): Promise<Subject> {
  return start([
    ...[Deno.execPath(), "run", "-A", `${ROOT}main.ts`, "server"],
    ...["--service", "chat", "--room", "all", "--log-level", "error", ...args, "--port"],
  ]);
}

/** Starts a program whose last argument is its port, and waits until it listens. */
async function start([command, ...args]: readonly string[]): Promise<Subject> {
  const port = freePort();
  const process = new Deno.Command(command!, {
    args: [...args, String(port)],
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return { port, process };
    } catch {
      await delay(20);
    }
  }
}

async function stop({ process }: Subject): Promise<void> {
  process.kill("SIGKILL");
  await process.status;
}

/** Bytes received and sent by NATS. */
async function bytesAt(monitor: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${monitor}/varz`);
  const { in_bytes, out_bytes } = await response.json();
  return in_bytes + out_bytes;
}

/** User and system time of a process (proc(5): fields 14 and 15, in hundredths of a second). */
function processorSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function mean(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}
