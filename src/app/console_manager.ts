/**
 * Opens and replaces the web console of a running server. Its code is loaded only if there is a console.
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

/** What the console depends on. */
export interface ConsoleManagerOptions {
  /** Where events are published. */
  readonly eventBus: EventBus;
  /** Whether to open the console at its default address where `console` is not given; a failure is not an error then. */
  readonly byDefault: boolean;
  /** Writes the line with the console's URL, which contains the token and must not be logged. */
  announce(line: string): void;
}

/** Opens the console, and replaces it when its options change. */
export class ConsoleManager implements AsyncDisposable {
  readonly #parts: ConsoleManagerOptions;
  #options: ServerOptions;
  #console: Console | undefined;
  #onOpen: ((console: Console) => void) | undefined;

  private constructor(options: ServerOptions, parts: ConsoleManagerOptions) {
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * Opens the console, if the options ask for one.
   *
   * @throws {Error} which says why it cannot be opened
   */
  static async open(options: ServerOptions, parts: ConsoleManagerOptions): Promise<ConsoleManager> {
    const manager = new ConsoleManager(options, parts);
    if (options.console === undefined && parts.byDefault) {
      await manager.#open({ ...options, console: CONSOLE_ADDRESS })
        .catch((error) => parts.announce(`the console is not available: ${explain(error)}`));
    } else {
      await manager.#open(options);
    }
    return manager;
  }

  /** The bound address, if it is open. */
  get address(): InternetAddress | undefined {
    return this.#console?.address;
  }

  /** Shows a server in the console, and its handshakes if they are captured. */
  watch(server: ServerHandle, ladders?: Ladders): void {
    this.#onOpen = (console) => console.watch(server, ladders);
    if (this.#console) this.#onOpen(this.#console);
  }

  /**
   * Prepares a console with other options. At an unchanged address, it is opened by `commit`, after the old one is closed.
   *
   * @throws {Error} which says why it cannot be opened
   */
  async prepare(options: ServerOptions): Promise<Prepared> {
    const before = this.#options;
    if (isEqual(consoleOptions(before), consoleOptions(options))) {
      return { commit: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
    }
    const parts = await this.#partsOf(options);
    const address = addressOf(options);
    const staysAtAddress = isEqual(address, addressOf(before));
    const opened = staysAtAddress ? undefined : this.#openAt(address, parts);
    return {
      commit: async () => {
        const old = this.#console;
        this.#options = options;
        if (staysAtAddress) await old?.[Symbol.asyncDispose]();
        this.#use(staysAtAddress ? this.#openAt(address, parts) : opened, options);
        if (!staysAtAddress) await old?.[Symbol.asyncDispose]();
      },
      [Symbol.asyncDispose]: async () => await opened?.[Symbol.asyncDispose](),
    };
  }

  /** Closes the console. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#console?.[Symbol.asyncDispose]();
  }

  async #open(options: ServerOptions): Promise<void> {
    this.#use(this.#openAt(addressOf(options), await this.#partsOf(options)), options);
  }

  /** Loads the console's code, and its token and certificate from their files. */
  async #partsOf(options: ServerOptions): Promise<Parts | undefined> {
    if (addressOf(options) === undefined) return undefined;
    const { "console-token-file": tokenFile } = options;
    const { newToken, tokenFrom } = await import("../console/credentials.ts");
    const { Console } = await import("../console/console.ts");
    return {
      open: (address, settings) => Console.open(address, settings),
      token: tokenFile === undefined ? newToken() : await tokenFrom(tokenFile),
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

  /** Makes an opened console the current one, and announces its URL. */
  #use(opened: Console | undefined, { "console-token-file": tokenFile }: ServerOptions): void {
    this.#console = opened;
    if (opened === undefined) return;
    this.#onOpen?.(opened);
    this.#parts.announce(
      tokenFile === undefined
        ? `console at ${opened.url}`
        : `console at ${opened.origin}/ (token in ${tokenFile})`,
    );
  }
}

/** What a console is opened with, beside its address. */
interface Parts extends Pick<ConsoleOptions, "token" | "tls"> {
  open(address: InternetAddress, options: ConsoleOptions): Console;
}

async function keyPairOf({ "console-cert": certFile, "console-key": keyFile }: ConsoleConfig) {
  if (certFile === undefined) return undefined;
  const { readServingPair } = await import("../transport/tls/serving_pair.ts");
  return await readServingPair({ certFile, keyFile, prefix: "console" });
}

function addressOf({ console: address }: ServerOptions): InternetAddress | undefined {
  return address === "off" ? undefined : address;
}

function consoleOptions(options: ServerOptions): [string, unknown][] {
  return Object.entries(options).filter(([name]) => name.startsWith("console"));
}
