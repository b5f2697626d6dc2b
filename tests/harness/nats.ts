/**
 * Real NATS servers beside a test.
 *
 * @module
 */
import { freePort } from "./ports.ts";
import { Program } from "./program.ts";

/** What a server is started with. */
export interface NatsOptions {
  /** More words for its command line. */
  readonly words?: readonly string[];
  /** What its config file says. */
  readonly config?: string;
  /** Whether it offers JetStream; what that keeps stays when it is started again. */
  readonly jetstream?: boolean;
}

/** A NATS server, which can be killed and started again at the same port. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #words: readonly string[];
  readonly #folder = Deno.makeTempDirSync();
  #program: Program | undefined;

  private constructor(port: number, { words = [], config = "", jetstream }: NatsOptions) {
    this.port = port;
    this.#words = jetstream ? [...words, "-js", "-sd", this.#folder] : words;
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

  /** Three servers that are one bus. */
  static async cluster(): Promise<NatsServer[]> {
    const ports = [freePort(), freePort(), freePort()];
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(",");
    const servers = ports.map((port, i) =>
      NatsServer.prepare({
        words: [
          ...["--cluster_name", "test", "-n", `n${i}`],
          ...["--cluster", `nats://127.0.0.1:${port}`, "--routes", routes],
        ],
      })
    );
    await Promise.all(servers.map((server) => server.start()));
    for (const server of servers) {
      await server.complains(/Route connection created[^]*Route connection created/);
    }
    return servers;
  }

  /** What `--bus` is to name. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Changes its config file, which it reads when it is started. */
  configure(config: string): void {
    Deno.writeTextFileSync(`${this.#folder}/nats.conf`, config);
  }

  /** Resolves to the match once its log shows the pattern. */
  complains(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#program!.complains(pattern);
  }

  /** Starts it, at its port. */
  async start(): Promise<void> {
    this.#program = new Program([
      "nats-server",
      ...["-c", `${this.#folder}/nats.conf`],
      ...["-a", "127.0.0.1", "-p", String(this.port)],
      ...this.#words,
    ]);
    await this.#program.complains(/Server is ready/);
  }

  /** Lets it read its config file again. */
  async reload(): Promise<void> {
    this.#program?.signal("SIGHUP");
    await this.#program?.complains(/Reloaded server configuration/);
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
