/**
 * The subscribers of a server's event bus: log, metrics, ladders and systemd. Each is loaded only if it is used.
 *
 * @module
 */
import { isEqual } from "../config/equal.ts";
import type { ServerOptions } from "../config/server_config.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { Ladders } from "../telemetry/ladders.ts";
import { Log, type LogOptions } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { notifySystemd, systemdOptions } from "../telemetry/systemd.ts";
import type { ServerHandle } from "../server/handle.ts";
import { type InternetAddress, isUdp, isUnix } from "../endpoint/address.ts";
import type { Prepared } from "./prepared.ts";
import type { HttpServer } from "../transport/http_server.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("capturing handshakes", {
  consequence: "handshakes are inferred",
});

/** What the observers depend on. */
export interface ObserversOptions {
  /** Where events are published. */
  readonly eventBus: EventBus;
  /** Writes a line of the log, if there is no log file. */
  write(line: string): void;
}

/** The observers of one server. Their options can change; metrics keep their values. */
export class Observers implements AsyncDisposable {
  readonly #eventBus: EventBus;
  readonly #write: (line: string) => void;
  readonly #stack = new AsyncDisposableStack();
  readonly #log: Log;
  #options: ServerOptions;
  #metrics: Metrics | undefined;
  #metricsPage: HttpServer | undefined;
  #ladders: Ladders | undefined;
  #server: ServerHandle | undefined;

  private constructor(options: ServerOptions, { eventBus, write }: ObserversOptions) {
    this.#eventBus = eventBus;
    this.#write = write;
    this.#log = this.#stack.use(new Log(eventBus, logOptions(options, write)));
    this.#options = options;
  }

  /**
   * Opens the observers that the options ask for.
   *
   * @throws {Error} which says what cannot be opened, and why
   */
  static async open(options: ServerOptions, parts: ObserversOptions): Promise<Observers> {
    await using undo = new AsyncDisposableStack();
    const observers = undo.use(new Observers(options, parts));
    await observers.#log.opened;
    const systemd = systemdOptions();
    if (systemd) observers.#stack.use(notifySystemd(parts.eventBus, systemd));
    await observers.#replaceMetrics(await observers.#openMetrics(options.metrics));
    if (options.trace) await observers.#openLadders();
    undo.move();
    return observers;
  }

  /** The handshakes of the server's connections, if they are kept. */
  get ladders(): Ladders | undefined {
    return this.#ladders;
  }

  /** The bound address of the metrics, if they are served. */
  get metricsAddress(): InternetAddress | undefined {
    return this.#metricsPage?.address;
  }

  /** Sets the server whose connections are captured and measured. */
  watch(server: ServerHandle): void {
    this.#server = server;
    if (this.#ladders) tasks.run(this.#ladders.capture(portsOf(server)));
    if (!this.#metrics) return;
    this.#metrics.live = () => server.connections();
    this.#metrics.rooms = () => server.roomsStatus();
    if (this.#metricsPage) this.#metrics.watchLoop(server.loopDelay);
    this.#metrics.names = () => server.resolverCounts();
  }

  /**
   * Prepares observers with other options.
   *
   * @throws {Error} which says what cannot be opened
   */
  async prepare(options: ServerOptions): Promise<Prepared> {
    await using undo = new AsyncDisposableStack();
    const log = logOptions(options, this.#write);
    const newLog = isEqual(log, logOptions(this.#options, this.#write))
      ? undefined
      : undo.use(await this.#log.prepare(log));
    const isMoved = !isEqual(options.metrics, this.#options.metrics);
    const page = isMoved ? undo.use(await this.#openMetrics(options.metrics)) : undefined;
    const prepared = undo.move();
    return {
      commit: async () => {
        this.#options = options;
        await newLog?.commit();
        if (isMoved) await this.#replaceMetrics(page);
      },
      [Symbol.asyncDispose]: () => prepared.disposeAsync(),
    };
  }

  /** The line of the log, in its format, that reports dropped lines. */
  droppedLine(count: number): string {
    return this.#log.droppedLine(count);
  }

  /** Closes all observers after they have written what is pending. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#metricsPage?.[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }

  /** Captures the ports of all outlets, now and after each reload. */
  async #openLadders(): Promise<void> {
    const { Ladders } = await import("../telemetry/ladders.ts");
    const ladders = this.#stack.use(new Ladders(this.#eventBus));
    this.#stack.use(this.#eventBus.subscribe(({ event }) => {
      if (event === "reloaded" && this.#server) {
        tasks.run(ladders.capture(portsOf(this.#server)));
      }
    }));
    this.#ladders = ladders;
  }

  async #openMetrics(address: ServerOptions["metrics"]): Promise<HttpServer | undefined> {
    if (address === undefined) return undefined;
    const { Metrics } = await import("../telemetry/metrics.ts");
    const { serveMetrics } = await import("../telemetry/metrics_page.ts");
    this.#metrics ??= this.#stack.use(new Metrics(this.#eventBus));
    if (this.#server) this.watch(this.#server);
    return serveMetrics(address, this.#metrics);
  }

  async #replaceMetrics(page: HttpServer | undefined): Promise<void> {
    const before = this.#metricsPage;
    this.#metricsPage = page;
    if (page) this.#eventBus.publish({ event: "metrics-listening", address: page.address });
    // The event loop is measured only while metrics can be requested.
    this.#metrics?.watchLoop(page && this.#server?.loopDelay);
    await before?.[Symbol.asyncDispose]();
  }
}

function portsOf(server: ServerHandle): number[] {
  return [...server.outlets].flatMap(({ address }) =>
    isUnix(address) || isUdp(address) ? [] : [address.port]
  );
}

function logOptions(options: ServerOptions, write: (line: string) => void): LogOptions {
  const path = options["log-file"];
  return {
    level: options["log-level"],
    format: options["log-format"],
    write,
    colour: Deno.stderr.isTerminal(),
    file: path === undefined ? undefined : {
      path,
      maxSize: options["log-file-size"],
      maxFiles: options["log-files"],
    },
  };
}
