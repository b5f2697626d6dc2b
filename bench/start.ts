/**
 * The time until help is printed, or a client is served.
 *
 * @module
 */
import { type Compiled, compiled } from "./compiled.ts";
import { median, spread } from "./measure.ts";
import { deno, freePort, outletServer } from "./subject.ts";
import { figure, ratio, type Section } from "./table.ts";
import type { BenchTools } from "./tools.ts";

const ROUNDS = 15;

/** A program whose start is measured: until it ends, or by default until it answers. */
interface StartCase {
  readonly name: string;
  command(): {
    args: readonly string[];
    port?: number;
    until?: (port: number) => Promise<boolean>;
  };
  /** The program that it is compared with, and the maximum ratio. */
  readonly goal?: { readonly of: string; readonly most: number };
}

/** From source, and compiled. */
export async function* startUp(workshop: BenchTools): AsyncGenerator<Section> {
  yield await start("start, from source", fromSource(workshop.path("start.log")));
  const programs = await compiled(workshop);
  yield typeof programs === "string"
    ? { title: COMPILED, notes: [`Not measured: ${programs}.`], head: ["program"], rows: [] }
    : await start(COMPILED, fromBinaries(programs, workshop.path("start.log")));
}

const COMPILED = "start, compiled";
const HELLO = "bare Deno hello";
const HELP: NonNullable<StartCase["goal"]> = { of: HELLO, most: 1.5 };
const LISTENS: NonNullable<StartCase["goal"]> = { of: HELLO, most: 2 };

function fromSource(log: string): StartCase[] {
  return [
    { name: HELLO, command: () => ({ args: deno("subjects/hello.ts") }) },
    { name: "outlet --help", command: () => ({ args: deno("../main.ts", "--help") }), goal: HELP },
    {
      name: "bare Deno loop, first answer",
      command() {
        const port = freePort();
        return { args: deno("subjects/bare_echo.ts", port), port };
      },
    },
    {
      name: "outlet server, listens",
      command: () => ({ ...server(deno("../main.ts"), log), until: listens }),
      goal: LISTENS,
    },
    { name: "outlet server, first answer", command: () => server(deno("../main.ts"), log) },
    {
      name: "outlet server --metrics, first answer",
      command() {
        const port = freePort();
        return { args: outletServer(log, `echo://:${port}`), port };
      },
    },
  ];
}

function fromBinaries({ hello, outlet }: Compiled, log: string): StartCase[] {
  return [
    { name: HELLO, command: () => ({ args: [hello] }) },
    { name: "outlet --help", command: () => ({ args: [outlet, "--help"] }), goal: HELP },
    {
      name: "outlet server, listens",
      command: () => ({ ...server([outlet], log), until: listens }),
      goal: LISTENS,
    },
    { name: "outlet server, first answer", command: () => server([outlet], log) },
  ];
}

/** Starts all programs in turn. */
async function start(title: string, starters: readonly StartCase[]): Promise<Section> {
  const times = new Map(starters.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const starter of starters) {
      const time = await measure(starter);
      if (round > 0) times.get(starter.name)!.push(time);
    }
  }
  const middle = (name: string) => median(times.get(name)!);
  return {
    title,
    notes: ["Until a program has said what it was asked for, with everything in caches."],
    head: ["program", "ms", "spread", "÷ hello"],
    rows: starters.map(({ name, goal }) => [
      name,
      figure(middle(name)),
      spread(times.get(name)!),
      ratio(middle(name) / middle(HELLO), goal),
    ]),
  };
}

/** Milliseconds until it has ended, or answers on its port. */
async function measure({ command }: StartCase): Promise<number> {
  const { args: [program, ...args], port, until = answers } = command();
  const start = performance.now();
  const process = new Deno.Command(program!, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  if (port !== undefined) {
    while (!await until(port).catch(() => false)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    process.kill("SIGKILL");
  }
  const time = performance.now() - start;
  await process.status;
  return port === undefined ? performance.now() - start : time;
}

/** An outlet server without metrics, with its log in a file. */
function server(
  outlet: readonly string[],
  log: string,
): { args: readonly string[]; port: number } {
  const port = freePort();
  return { args: [...outlet, "server", `echo://:${port}`, "--log-file", log], port };
}

async function listens(port: number): Promise<boolean> {
  using _conn = await Deno.connect({ hostname: "127.0.0.1", port });
  return true;
}

async function answers(port: number): Promise<boolean> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("hello\n"));
  return await conn.read(new Uint8Array(64)) !== null;
}
