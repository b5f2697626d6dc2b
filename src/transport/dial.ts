/**
 * Dialling: connects a carrier, through a proxy if there is one, and starts the layers. Everything
 * that connects uses it; `listen.ts` is its counterpart.
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";
import { formatAddress, isIP, isUnix } from "../endpoint/address.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { formatProxy, type Proxy, takesAddresses } from "../endpoint/proxy.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { type AddressStep, dialAddress } from "./dial_address.ts";
import { DialTimeout } from "./dial_error.ts";
import { explain } from "./errors.ts";
import type { KeepAliveTimes } from "./keep_alive_options.ts";
import { type ClientLayers, connectStages, type LayerProgress, type LayerStep } from "./layers.ts";
import { connectToTarget } from "./proxy/connect.ts";
import { resolver } from "./resolver.ts";
import { contextOf } from "./stage.ts";
import type { ByteStream } from "./stream.ts";
import { writeAll } from "./write_all.ts";

const tasks = new TaskScope("dialling", { consequence: "the attempt counts as failed" });

/** A step of dialling. Times are in milliseconds. */
export type DialStep =
  | AddressStep
  | { readonly step: "proxied"; readonly proxy: Proxy; readonly elapsed: number }
  | LayerStep & { readonly elapsed: number };

/** Options of {@linkcode dial}. */
export interface DialOptions {
  /** The time limit for all steps together in milliseconds; 0 for none. */
  readonly timeout: number;
  /** Aborts dialling. */
  readonly signal?: AbortSignal | undefined;
  /** Called for every step. */
  readonly onStep?: ((step: DialStep) => void) | undefined;
  /**
   * Selects the addresses of the target's name that are tried; with it, no proxy resolves names.
   * @throws {Error} if there are none
   */
  readonly select?: ((addresses: readonly string[]) => readonly string[]) | undefined;
  /** Sent to the target before the layers start: a PROXY header. */
  readonly preface?: Uint8Array | undefined;
}

/** An endpoint to connect to. */
export type DialledEndpoint = Endpoint<ClientLayers> & {
  /** When keep-alive probes are sent over the carrier; the system's times by default. */
  readonly keepAliveTimes?: KeepAliveTimes | undefined;
};

/**
 * Connects to an endpoint. Closing the stream closes all connections it needed.
 * @throws {Error} what was tried, what happened, and what it means
 */
export async function dial(endpoint: DialledEndpoint, options: DialOptions): Promise<ByteStream> {
  if (!endpoint.proxy && !endpoint.layers) {
    const { address, from, keepAliveTimes } = endpoint;
    const stream = await dialAddress(
      address,
      from || keepAliveTimes ? { ...options, from, keepAliveTimes } : options,
    );
    if (options.preface) await writePreface(stream, options.preface);
    return stream;
  }
  const dialling = new Dialling(endpoint, options);
  await dialling.connect();
  return await upgradeWithin(dialling, options);
}

/** A small write to a new socket never waits. */
async function writePreface(stream: ByteStream, preface: Uint8Array): Promise<void> {
  try {
    await writeAll(stream, preface);
  } catch (error) {
    stream.close();
    throw error;
  }
}

class Dialling {
  readonly #endpoint: DialledEndpoint;
  readonly #options: DialOptions;
  readonly #start = performance.now();
  /** The stream so far. */
  #stream: ByteStream | undefined;
  readonly #abort = new AbortController();
  /** The reply that is awaited, for the error of a timeout. */
  awaitedReply = "";
  /** The phase of that reply. */
  phase: DialTimeout["phase"] = "upgrade";

  constructor(endpoint: DialledEndpoint, options: DialOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** The time left in milliseconds; 0 without a limit. */
  get timeLeft(): number {
    const { timeout } = this.#options;
    return timeout > 0 ? Math.max(1, timeout - (performance.now() - this.#start)) : 0;
  }

  /** Connects the carrier to the target or the proxy, and closes an earlier connection. */
  async connect(): Promise<ByteStream> {
    const { proxy, address, from, keepAliveTimes } = this.#endpoint;
    this.close();
    const stream = await dialAddress(proxy?.address ?? address, {
      ...this.#options,
      from,
      select: proxy ? undefined : this.#options.select,
      keepAliveTimes,
      timeout: this.timeLeft,
    });
    this.#stream = stream;
    if (this.#abort.signal.aborted) this.end();
    return stream;
  }

  /** Runs the proxy's handshake and the layers. */
  async upgrade(): Promise<ByteStream> {
    const { proxy, layers } = this.#endpoint;
    if (proxy) await this.#throughProxy(proxy);
    if (this.#options.preface) await writeAll(this.#stream!, this.#options.preface);
    if (layers) await this.#throughLayers(layers);
    return this.#stream!;
  }

  async #throughProxy(proxy: Proxy): Promise<void> {
    const start = performance.now();
    const { address } = this.#endpoint;
    try {
      if (isUnix(address)) throw new Error("a proxy cannot reach a Unix socket");
      const { hostname } = address;
      const isResolved = takesAddresses(proxy) || this.#options.select !== undefined;
      const addresses = isResolved ? await this.#lookUp(hostname) : [hostname];
      this.awaitedReply = `the ${formatProxy(proxy)}: connected, but no response to the request`;
      this.#stream = await connectToTarget(this.#stream!, {
        proxy,
        target: { ...address, hostname: addresses[0]! },
        redial: () => this.connect(),
      });
    } catch (cause) {
      throw new Error(
        `cannot connect to ${formatAddress(address)} through the ${formatProxy(proxy)}: ` +
          explain(cause),
        { cause },
      );
    }
    this.#options.onStep?.({ step: "proxied", proxy, elapsed: performance.now() - start });
  }

  /** Resolves the target's name for a proxy protocol that has no names. */
  async #lookUp(hostname: string): Promise<readonly string[]> {
    if (isIP(hostname)) return [hostname];
    const start = performance.now();
    const { signal, onStep, select } = this.#options;
    this.awaitedReply = `the name server does not answer: no address of ${hostname}`;
    this.phase = "look-up";
    const { addresses, from } = await resolver.lookUp(hostname, signal ? { signal } : {});
    this.phase = "upgrade";
    onStep?.({ step: "resolved", hosts: addresses, from, elapsed: performance.now() - start });
    return select?.(addresses) ?? addresses;
  }

  async #throughLayers(layers: ClientLayers): Promise<void> {
    const { address } = this.#endpoint;
    const name = formatAddress(address);
    let start = performance.now();
    const progress: LayerProgress = {
      awaits: (missing) => void (this.awaitedReply = `${name}: connected, but ${missing}`),
      agreed: (step) => {
        this.#options.onStep?.({ ...step, elapsed: performance.now() - start });
        start = performance.now();
      },
    };
    const context = contextOf(this.#stream!, this.#abort.signal);
    for (const stage of connectStages(layers, progress)) {
      try {
        this.#stream = await stage(this.#stream!, context);
      } catch (error) {
        if (error instanceof Error) error.message = `${name}: ${error.message}`;
        throw error;
      }
    }
  }

  /** Closes the stream, and any that is still to come. */
  end(): void {
    this.#abort.abort();
    this.close();
  }

  close(): void {
    try {
      this.#stream?.close();
    } catch {
      // A failed handshake has already closed it.
    }
    this.#stream = undefined;
  }
}

/**
 * Runs the proxy's handshake and the layers within the time limit. The error says which reply did
 * not come.
 */
async function upgradeWithin(
  dialling: Dialling,
  { timeout, signal }: DialOptions,
): Promise<ByteStream> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = tasks.guard(() => reject(signal?.reason));
  const late = tasks.guard(() =>
    reject(
      new DialTimeout(`${dialling.awaitedReply} in ${formatDuration(timeout)}`, dialling.phase),
    )
  );
  const timer = timeout > 0 ? setTimeout(late, dialling.timeLeft) : undefined;
  signal?.addEventListener("abort", abort);
  // The signal may have been aborted while the carrier connected.
  if (signal?.aborted) abort();
  const upgrading = dialling.upgrade();
  try {
    return await Promise.race([upgrading, promise]);
  } catch (error) {
    dialling.end();
    await upgrading.catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
