/**
 * The server that is flooded, with all surfaces at once and an echo outlet.
 *
 * @module
 */
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/ports.ts";
import { bundledOutlet, outlet, Program } from "../harness/program.ts";
import { SURFACES } from "./floods.ts";

/** A user of the proxy with a password that takes long to compare. */
const USERS = "joe:$2y$10$" + "a".repeat(53) + "\n";

/** A running server, and the addresses of its surfaces. */
export class FloodedServer implements AsyncDisposable {
  readonly #server: Program;
  readonly #folder: string;
  /** Address of each surface, by name. */
  readonly targets: ReadonlyMap<string, string>;
  /** Port of the echo outlet that is not flooded. */
  readonly echoPort: number;
  readonly #metrics: string;

  private constructor(
    { server, folder, targets, echoPort, metrics }: {
      server: Program;
      folder: string;
      targets: ReadonlyMap<string, string>;
      echoPort: number;
      metrics: string;
    },
  ) {
    this.#server = server;
    this.#folder = folder;
    this.targets = targets;
    this.echoPort = echoPort;
    this.#metrics = metrics;
  }

  /** Starts the server, or the bundle of it, with further arguments such as `--workers 2`. */
  static async start(
    options: readonly string[] = [],
    { bundle = false }: { bundle?: boolean } = {},
  ): Promise<FloodedServer> {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/complain`, "#!/bin/sh\nexec cat >&2\n", { mode: 0o700 });
    await Deno.writeTextFile(`${folder}/users`, USERS);
    const echoPort = freePort();
    const targets = new Map<string, string>();
    const hasWorkers = options.includes("--workers");
    const specs = SURFACES.flatMap(({ name, spec }) => {
      if (spec === undefined || (hasWorkers && name === "stdio")) return [];
      const port = freePort();
      targets.set(name, spec.includes("+unix") ? `unix:${folder}/echo.sock` : `127.0.0.1:${port}`);
      return spec.replaceAll("FOLDER", folder).replaceAll("ECHO_PORT", String(echoPort))
        .replace("127.0.0.1:0", `127.0.0.1:${port}`);
    });
    const more = SURFACES.flatMap(({ name, args = [] }) => {
      const port = freePort();
      if (args.length > 0) targets.set(name, `127.0.0.1:${port}`);
      return args.map((word) => word.replace("PORT", String(port)));
    });
    // Its log is discarded: floods of the log have tests of their own.
    const server = new Program([
      "sh",
      "-c",
      `exec "$@" >/dev/null 2>"$0/log"`,
      folder,
      ...(bundle ? bundledOutlet : outlet)(
        "server",
        `echo://127.0.0.1:${echoPort}`,
        `echo+udp://127.0.0.1:${echoPort}`,
        ...specs,
        ...more,
        ...options,
      ),
    ]);
    const metrics = targets.get("metrics")!;
    const isReady = () =>
      fetch(`http://${metrics}/healthz`)
        .then(async (answer) => (await answer.body?.cancel(), answer.ok), () => false);
    await eventually(isReady, "a server that is ready").catch(async (cause) => {
      throw new Error(await Deno.readTextFile(`${folder}/log`), { cause });
    });
    return new FloodedServer({ server, folder, targets, echoPort, metrics });
  }

  /** Resident memory in bytes. */
  get memory(): number {
    const status = Deno.readTextFileSync(`/proc/${this.#server.pid}/status`);
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
  }

  /** Number of open descriptors. */
  get descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.#server.pid}/fd`)].length;
  }

  /** A metric, summed over its labels; `undefined` if there is none with this name. */
  async metric(name: string): Promise<number | undefined> {
    const answer = await fetch(`http://${this.#metrics}/metrics`);
    const rows = (await answer.text()).matchAll(new RegExp(`^${name}(?:{.*})? (.*)$`, "gm"));
    const values = Array.from(rows, ([, value]) => Number(value));
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.signal("SIGKILL");
    await this.#server[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
