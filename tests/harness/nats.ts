/**
 * Real NATS servers for tests.
 *
 * @module
 */
import { freePort } from "./ports.ts";
import { Program } from "./program.ts";

/** How a server is started. */
export interface NatsOptions {
  /** Further command-line arguments. */
  readonly args?: readonly string[];
  /** Its config file. */
  readonly config?: string;
  /** Whether JetStream is enabled; its storage is kept between restarts. */
  readonly jetstream?: boolean;
}

/** A NATS server that can be killed and restarted on the same port. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #folder = Deno.makeTempDirSync();
  #program: Program | undefined;

  private constructor(port: number, { args = [], config = "", jetstream }: NatsOptions) {
    this.port = port;
    this.#args = jetstream ? [...args, "-js", "-sd", this.#folder] : args;
    this.configure(config);
  }

  /** A server that is not started yet. */
  static prepare(options: NatsOptions = {}): NatsServer {
    return new NatsServer(freePort(), options);
  }

  /** A server that is ready. */
  static async start(options: NatsOptions = {}): Promise<NatsServer> {
    const server = NatsServer.prepare(options);
    await server.start();
    return server;
  }

  /** A cluster of three servers. */
  static async cluster(): Promise<NatsServer[]> {
    const ports = [freePort(), freePort(), freePort()];
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(",");
    const servers = ports.map((port, i) =>
      NatsServer.prepare({
        args: [
          ...["--cluster_name", "test", "-n", `n${i}`],
          ...["--cluster", `nats://127.0.0.1:${port}`, "--routes", routes],
        ],
      })
    );
    await Promise.all(servers.map((server) => server.start()));
    for (const server of servers) {
      await server.logs(/Route connection created[^]*Route connection created/);
    }
    return servers;
  }

  /** Its URL for `--bus`. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Changes its config file, which is read at the start and by a reload. */
  configure(config: string): void {
    Deno.writeTextFileSync(`${this.#folder}/nats.conf`, config);
  }

  /** Resolves to the match once its log matches the pattern. */
  logs(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#program!.logs(pattern);
  }

  /** Starts it on its port. */
  async start(): Promise<void> {
    this.#program = new Program([
      "nats-server",
      ...["-c", `${this.#folder}/nats.conf`],
      ...["-a", "127.0.0.1", "-p", String(this.port)],
      ...this.#args,
    ]);
    await this.#program.logs(/Server is ready/);
  }

  /** Makes it read its config file again. */
  async reload(): Promise<void> {
    this.#program?.signal("SIGHUP");
    await this.#program?.logs(/Reloaded server configuration/);
  }

  /** Kills it. */
  async kill(): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    this.#program = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
