/**
 * Who listens to a server's event bus: the log, and what else was asked for. Each is loaded when it is.
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
import { isUnix } from "../endpoint/address.ts";
import { explain } from "../transport/errors.ts";
import type { HttpServer } from "../transport/http_server.ts";

/** What observers are joined to. */
export interface ObserversOptions {
  /** Where the facts are told. */
  readonly eventBus: EventBus;
  /** Takes each line of the log, where it does not go to a file. */
  write(line: string): void;
}

/** The observers of one server. They can be changed while it runs; what has been counted stays. */
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
   * Opens what the options ask for; the log may open a little later.
   *
   * @throws {Error} which says what can't be opened, and why
   */
  static async open(options: ServerOptions, parts: ObserversOptions): Promise<Observers> {
    await using undo = new AsyncDisposableStack();
    const observers = undo.use(new Observers(options, parts));
    const systemd = systemdOptions();
    if (systemd) observers.#stack.use(notifySystemd(parts.eventBus, systemd));
    await observers.#showMetrics(options.metrics);
    if (options.trace) await observers.#openLadders();
    undo.move();
    return observers;
  }

  /** Resolves once the log takes lines; rejects where it can't be opened. */
  get logging(): Promise<void> {
    return this.#log.opened;
  }

  /** The handshakes of the server's connections, where they are kept. */
  get ladders(): Ladders | undefined {
    return this.#ladders;
  }

  /** Shows the server's open connections to whoever looks at them. */
  watch(server: ServerHandle): void {
    this.#server = server;
    this.#ladders?.capture(portsOf(server));
    if (!this.#metrics) return;
    this.#metrics.live = () => server.connections();
    this.#metrics.rooms = () => server.roomsStatus();
  }

  /** Becomes what other options ask for; where that can't be had, that is told, and it returns `false`. */
  async change(options: ServerOptions): Promise<boolean> {
    try {
      const log = logOptions(options, this.#write);
      if (!isEqual(log, logOptions(this.#options, this.#write))) await this.#log.change(log);
      if (!isEqual(options.metrics, this.#options.metrics)) {
        await this.#showMetrics(options.metrics);
      }
      this.#options = options;
      return true;
    } catch (error) {
      this.#eventBus.publish({ event: "rejected", reason: explain(error) });
      return false;
    }
  }

  /** Ends them all, once they have told what they know. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#metricsPage?.[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }

  /** From now on, and after each change, the ports of all outlets are captured. */
  async #openLadders(): Promise<void> {
    const { Ladders } = await import("../telemetry/ladders.ts");
    const ladders = this.#stack.use(new Ladders(this.#eventBus));
    this.#stack.use(this.#eventBus.subscribe(({ event }) => {
      if (event === "reloaded" && this.#server) ladders.capture(portsOf(this.#server));
    }));
    this.#ladders = ladders;
  }

  async #showMetrics(address: ServerOptions["metrics"]): Promise<void> {
    const before = this.#metricsPage;
    if (address === undefined) {
      this.#metricsPage = undefined;
    } else {
      const { Metrics } = await import("../telemetry/metrics.ts");
      const { serveMetrics } = await import("../telemetry/metrics_page.ts");
      this.#metrics ??= this.#stack.use(new Metrics(this.#eventBus));
      if (this.#server) this.watch(this.#server);
      this.#metricsPage = serveMetrics(address, this.#metrics);
    }
    await before?.[Symbol.asyncDispose]();
  }
}

function portsOf(server: ServerHandle): number[] {
  return [...server.outlets].flatMap(({ address }) => isUnix(address) ? [] : [address.port]);
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
