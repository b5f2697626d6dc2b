/**
 * The console of a running server, where there is one. It is loaded when it is asked for.
 *
 * @module
 */
import { CONSOLE_ADDRESS, type ConsoleConfig } from "../config/console_options.ts";
import { isEqual } from "../config/equal.ts";
import type { ServerOptions } from "../config/server_config.ts";
import type { Console, ConsoleOptions } from "../console/console.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { Ladders } from "../telemetry/ladders.ts";
import type { ServerHandle } from "../server/handle.ts";
import type { InternetAddress } from "../endpoint/address.ts";
import type { Prepared } from "./prepared.ts";
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
      await host.#open({ ...options, console: CONSOLE_ADDRESS })
        .catch((error) => parts.tell(`no console: ${explain(error)}`));
    } else {
      await host.#open(options);
    }
    return host;
  }

  /** Shows the server in the console from now on, with its handshakes where they are captured. */
  watch(server: ServerHandle, ladders?: Ladders): void {
    this.#look = (console) => console.watch(server, ladders);
    if (this.#console) this.#look(this.#console);
  }

  /**
   * Makes the console ready that other options ask for, and changes nothing yet. Where it stays at its address, that
   * is free only once the one before has gone.
   *
   * @throws {Error} which says why it can't be had
   */
  async prepare(options: ServerOptions): Promise<Prepared> {
    const before = this.#options;
    if (isEqual(consoleOptions(before), consoleOptions(options))) {
      return { commit: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
    }
    const parts = await this.#partsOf(options);
    const address = placeOf(options);
    const stays = isEqual(address, placeOf(before));
    const made = stays ? undefined : this.#openAt(address, parts);
    return {
      commit: async () => {
        const gone = this.#console;
        this.#options = options;
        if (stays) await gone?.[Symbol.asyncDispose]();
        this.#show(stays ? this.#openAt(address, parts) : made, options);
        if (!stays) await gone?.[Symbol.asyncDispose]();
      },
      [Symbol.asyncDispose]: async () => await made?.[Symbol.asyncDispose](),
    };
  }

  /** Closes the console. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#console?.[Symbol.asyncDispose]();
  }

  async #open(options: ServerOptions): Promise<void> {
    this.#show(this.#openAt(placeOf(options), await this.#partsOf(options)), options);
  }

  /** What a console is opened with, read from the files that the options name. */
  async #partsOf(options: ServerOptions): Promise<Parts | undefined> {
    if (placeOf(options) === undefined) return undefined;
    const { "console-token-file": tokenFile } = options;
    const { freshToken, tokenFrom } = await import("../console/credentials.ts");
    const { Console } = await import("../console/console.ts");
    return {
      open: (address, settings) => Console.open(address, settings),
      token: tokenFile === undefined ? freshToken() : await tokenFrom(tokenFile),
      tls: await keyPairOf(options),
    };
  }

  #openAt(address: InternetAddress | undefined, parts: Parts | undefined): Console | undefined {
    if (address === undefined || parts === undefined) return undefined;
    const { open, ...settings } = parts;
    const { eventBus } = this.#parts;
    const drainTimeout = () => this.#options["drain-timeout"];
    return open(address, { ...settings, eventBus, drainTimeout });
  }

  /** Makes a console the one that there is, and tells where it is. */
  #show(opened: Console | undefined, { "console-token-file": tokenFile }: ServerOptions): void {
    this.#console = opened;
    if (opened === undefined) return;
    this.#look?.(opened);
    this.#parts.tell(
      tokenFile === undefined
        ? `console at ${opened.url}`
        : `console at ${opened.origin}/ (its token is in ${tokenFile})`,
    );
  }
}

/** What a console is opened with. */
interface Parts extends Pick<ConsoleOptions, "token" | "tls"> {
  open(address: InternetAddress, options: ConsoleOptions): Console;
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
