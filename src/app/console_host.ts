/**
 * The console of a running server, where there is one. It is loaded when it is asked for.
 *
 * @module
 */
import { CONSOLE_ADDRESS, type ConsoleConfig } from "../config/console_options.ts";
import { isEqual } from "../config/equal.ts";
import type { ServerOptions } from "../config/server_config.ts";
import type { Console } from "../console/console.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { Ladders } from "../telemetry/ladders.ts";
import type { ServerHandle } from "../server/handle.ts";
import type { InternetAddress } from "../endpoint/address.ts";
import { explain } from "../transport/errors.ts";

/** What the console is joined to. */
export interface ConsoleHostOptions {
  /** Where the facts are told. */
  readonly eventBus: EventBus;
  /** Whether there is a console also when nothing was said of it, if its address is free. */
  readonly byDefault: boolean;
  /** Takes the line that tells the person who started the server where the console is. It is no log. */
  tell(line: string): void;
}

/** Opens the console that options ask for, and another one when they change. */
export class ConsoleHost implements AsyncDisposable {
  readonly #parts: ConsoleHostOptions;
  #options: ServerOptions;
  #console: Console | undefined;
  #look: ((console: Console) => void) | undefined;

  private constructor(options: ServerOptions, parts: ConsoleHostOptions) {
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * Opens the console, where the options ask for one.
   *
   * @throws {Error} which says why it can't be had
   */
  static async open(options: ServerOptions, parts: ConsoleHostOptions): Promise<ConsoleHost> {
    const host = new ConsoleHost(options, parts);
    if (options.console === undefined && parts.byDefault) {
      await host.#show(CONSOLE_ADDRESS)
        .catch((error) => parts.tell(`no console: ${explain(error)}`));
    } else {
      await host.#show(placeOf(options));
    }
    return host;
  }

  /** Shows the server in the console from now on, with its handshakes where they are captured. */
  watch(server: ServerHandle, ladders?: Ladders): void {
    this.#look = (console) => console.watch(server, ladders);
    if (this.#console) this.#look(this.#console);
  }

  /** Becomes what other options ask for; where that can't be had, that is told, and it returns `false`. */
  async change(options: ServerOptions): Promise<boolean> {
    const before = this.#options;
    this.#options = options;
    if (isEqual(consoleOptions(before), consoleOptions(options))) return true;
    try {
      await this.#console?.[Symbol.asyncDispose]();
      await this.#show(placeOf(options));
      return true;
    } catch (error) {
      this.#parts.eventBus.publish({ event: "rejected", reason: explain(error) });
      return false;
    }
  }

  /** Closes the console. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#console?.[Symbol.asyncDispose]();
  }

  async #show(address: InternetAddress | undefined): Promise<void> {
    this.#console = undefined;
    if (address === undefined) return;
    const { eventBus, tell } = this.#parts;
    const { "console-token-file": tokenFile } = this.#options;
    const { Console } = await import("../console/console.ts");
    const { freshToken, tokenFrom } = await import("../console/credentials.ts");
    this.#console = Console.open(address, {
      eventBus,
      token: tokenFile === undefined ? freshToken() : await tokenFrom(tokenFile),
      tls: await keyPairOf(this.#options),
      drainTimeout: () => this.#options["drain-timeout"],
    });
    this.#look?.(this.#console);
    tell(
      tokenFile === undefined
        ? `console at ${this.#console.url}`
        : `console at ${this.#console.origin}/ (its token is in ${tokenFile})`,
    );
  }
}

async function keyPairOf({ "console-cert": certFile, "console-key": keyFile }: ConsoleConfig) {
  if (certFile === undefined) return undefined;
  const { readServingPair } = await import("../transport/tls/serving_pair.ts");
  return await readServingPair({ certFile, keyFile, prefix: "console" });
}

function placeOf({ console: place }: ServerOptions): InternetAddress | undefined {
  return place === "off" ? undefined : place;
}

function consoleOptions(options: ServerOptions): [string, unknown][] {
  return Object.entries(options).filter(([name]) => name.startsWith("console"));
}
