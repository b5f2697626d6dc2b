/**
 * Attacks on a real server, while other clients use an echo outlet of the same process.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { EchoClients } from "./echo_clients.ts";
import { eventually } from "./eventually.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";
import { isRunning, lastChildOf, portsOf, ResourceUsage } from "./process.ts";
import { outlet, Program } from "./program.ts";
import { Terminal } from "./terminal.ts";
import { testWith } from "./tools.ts";

/** The name of the echo outlet that is not attacked, in a config too. */
export const ECHO_OUTLET = "other-clients";

/** What an attack has before its server is started. */
export interface AttackSetup {
  /** A temporary directory of the test. */
  readonly folder: string;
  /** Disposed at the end of the test. */
  readonly stack: AsyncDisposableStack;
}

/** An attack on a server. */
export interface Attack {
  /** The programs that it needs. */
  readonly needs?: readonly string[];
  /** The server's arguments, to which an echo outlet is added unless they name a config. */
  args(setup: AttackSetup): readonly string[] | Promise<readonly string[]>;
  /** A command line that runs the server's, if it is not run directly. */
  wrapper?(setup: AttackSetup): readonly [string, ...string[]];
  /** The numbers of workers that it is run with; 1 and 2 by default. */
  readonly workers?: readonly number[];
  /** Whether the server logs to stderr; `true` by default. */
  readonly logsToStderr?: boolean;
  /** Whether it runs on a terminal, where it also logs to. */
  readonly onTerminal?: boolean;
  /** Makes the server load and open what it does only once, so that it is not counted as a leak. */
  warmUp?(server: AttackedServer): Promise<void>;
  /** Starts the attack, and resolves once it has an effect; the stack is disposed at its end. */
  begin(server: AttackedServer, stack: AsyncDisposableStack): Promise<void>;
  /** Checks the server during the attack, after its clients were answered. */
  check?(server: AttackedServer): Promise<void>;
}

/**
 * Tests an attack with one worker and with two: clients of the echo outlet are answered, the
 * process does not end, and all resources are released.
 */
export function testAttack(sentence: string, attack: Attack): void {
  for (const workers of attack.workers ?? [1, 2]) {
    testWith(attack.needs ?? [], `${sentence} (--workers ${workers})`, async () => {
      await using folder = await TemporaryDirectory.make();
      await using stack = new AsyncDisposableStack();
      const setup = { folder: folder.path, stack };
      await using server = await AttackedServer.start(attack, { ...setup, workers });
      await server.withstands(attack);
    });
  }
}

/** The program, and the terminal that it runs on. */
interface Started {
  readonly program: Program;
  readonly terminal: Terminal | undefined;
}

/** The server that is attacked. */
export class AttackedServer implements AsyncDisposable {
  readonly program: Program;
  readonly folder: string;
  /** Disposed at the end of the test. */
  readonly stack: AsyncDisposableStack;
  readonly workers: number;
  /** The port of the echo outlet. */
  readonly echo: number;
  /** The PID of the server itself. */
  readonly pid: number;
  readonly #metrics: number;
  readonly #terminal: Terminal | undefined;
  #isHungUp = false;

  private constructor(
    { program, terminal, folder, stack, workers }: AttackSetup & Started & { workers: number },
    { echo, metrics }: { echo: number; metrics: number },
  ) {
    this.program = program;
    this.pid = terminal ? lastChildOf(program.pid) : program.pid;
    this.#terminal = terminal;
    this.folder = folder;
    this.stack = stack;
    this.workers = workers;
    this.echo = echo;
    this.#metrics = metrics;
  }

  /** Starts it, and waits until it serves. */
  static async start(
    { args, wrapper, onTerminal = false, logsToStderr = true }: Attack,
    { workers, ...setup }: AttackSetup & { workers: number },
  ): Promise<AttackedServer> {
    const own = await args(setup);
    const echo = own.includes("--config") ? [] : [`echo://127.0.0.1:0?name=${ECHO_OUTLET}`];
    const command = [
      ...(wrapper?.(setup) ?? []),
      ...outlet("server", ...echo, "--workers", String(workers), "--drain-timeout", "0"),
      ...["--log-format", "json", "--metrics", "127.0.0.1:0", ...own],
    ] as [string, ...string[]];
    const terminal = onTerminal ? new Terminal(command) : undefined;
    const program = terminal?.program ?? new Program(command);
    const started = { program, terminal };
    const surfaces = await surfacesOf(started, { logs: logsToStderr });
    return new AttackedServer({ ...started, workers, ...setup }, surfaces);
  }

  /** Its terminal. */
  get terminal(): Terminal {
    return this.#terminal!;
  }

  /** Closes its terminal. */
  hangUp(): void {
    this.#isHungUp = true;
    this.terminal.hangUp();
  }

  /** The port of the outlet with this name. */
  port(name: string): Promise<number> {
    return portIn((pattern) => this.logs(pattern), name);
  }

  /** Connects to an outlet. */
  async connect(name: string): Promise<Deno.TcpConn> {
    return await Deno.connect({ hostname: "127.0.0.1", port: await this.port(name) });
  }

  /** Resolves to the match once a line of its log matches. */
  logs(pattern: RegExp): Promise<RegExpMatchArray> {
    return logsOf({ program: this.program, terminal: this.#terminal }, pattern);
  }

  /** The text of its metrics. */
  async metrics(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#metrics}/metrics`)).text();
  }

  /** The port of its metrics. */
  get metricsPort(): number {
    return this.#metrics;
  }

  /** Fails if the attack blocks other clients, ends the process, or leaves resources behind. */
  async withstands({ warmUp, begin, check }: Attack): Promise<void> {
    {
      using clients = await EchoClients.of(this.echo);
      await clients.areAnswered();
      await this.metrics();
      await warmUp?.(this);
    }
    const before = await ResourceUsage.of(this.pid);
    {
      using clients = await EchoClients.of(this.echo);
      await using stack = new AsyncDisposableStack();
      await begin(this, stack);
      await clients.areAnswered();
      await check?.(this);
    }
    await before.isRestored();
    assertEquals(/^outlet_unexpected_errors_total (.*)$/m.exec(await this.metrics())?.[1], "0");
    Deno.kill(this.pid, "SIGINT");
    if (this.#isHungUp) await eventually(() => !isRunning(this.pid), "the end of the server");
    else assertEquals((await this.program.outcome()).code, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isHungUp && isRunning(this.pid)) Deno.kill(this.pid, "SIGKILL");
    await this.program[Symbol.asyncDispose]();
  }
}

/** The ports of the echo outlet and of the metrics. */
async function surfacesOf(
  started: Started,
  { logs }: { logs: boolean },
): Promise<{ echo: number; metrics: number }> {
  if (logs) {
    const logs = (pattern: RegExp) => logsOf(started, pattern);
    const [, metrics] = await logs(/"event":"ready".*"metrics":"[^"]*:(\d+)"/);
    return { echo: await portIn(logs, ECHO_OUTLET), metrics: Number(metrics) };
  }
  const { program } = started;
  await eventually(() => servesBoth(program.pid), "its two ports");
  const ports = portsOf(program.pid);
  const isFirst = await isMetrics(ports[0]!);
  return isFirst
    ? { metrics: ports[0]!, echo: ports[1]! }
    : { metrics: ports[1]!, echo: ports[0]! };
}

/**
 * Whether it listens at two ports, one of which serves metrics. At its start, it briefly binds
 * other ports.
 */
async function servesBoth(pid: number): Promise<boolean> {
  const ports = portsOf(pid);
  if (ports.length !== 2) return false;
  const areMetrics = await Promise.all(ports.map(isMetrics));
  return areMetrics.filter(Boolean).length === 1 &&
    portsOf(pid).every((port) => ports.includes(port));
}

async function isMetrics(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
  return /^(ok|starting)\n$/.test(await answer?.text().catch(() => "") ?? "");
}

async function portIn(
  logs: (pattern: RegExp) => Promise<RegExpMatchArray>,
  name: string,
): Promise<number> {
  const pattern = new RegExp(`"event":"listening","outlet":"${name}".*"address":"[^"]*:(\\d+)"`);
  const [, port] = await logs(pattern);
  return Number(port);
}

/** Resolves to the match once the log matches. */
function logsOf({ program, terminal }: Started, pattern: RegExp): Promise<RegExpMatchArray> {
  return terminal ? terminal.shows(pattern) : program.logs(pattern);
}
