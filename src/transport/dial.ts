/**
 * Dialling, for everything that does: `listen.ts` is the other way in. A carrier's connection, through a proxy where
 * there is one, with the layers that are asked for.
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
import { type ClientLayers, connectStages, type LayerStep } from "./layers.ts";
import { connectToTarget } from "./proxy/connect.ts";
import { resolver } from "./resolver.ts";
import { contextOf } from "./stage.ts";
import type { ByteStream } from "./stream.ts";

const tasks = new TaskScope("dialling", { without: "the attempt counts as failed" });

/** What happens on the way. Times are in milliseconds. */
export type DialStep =
  | AddressStep
  | { readonly step: "proxied"; readonly proxy: Proxy; readonly took: number }
  | LayerStep & { readonly took: number };

/** How long it may take, and who hears of it. */
export interface DialOptions {
  /** Milliseconds after which it is given up, all of it together; never, where it is 0. */
  readonly timeout: number;
  /** Gives up at once when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every step. */
  readonly onStep?: ((step: DialStep) => void) | undefined;
}

/** What can be dialled. */
export type DialledEndpoint = Endpoint<ClientLayers>;

/**
 * Connects. Closing the stream closes everything on the way.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function dial(endpoint: DialledEndpoint, options: DialOptions): Promise<ByteStream> {
  if (!endpoint.proxy && !endpoint.layers) return await dialAddress(endpoint.address, options);
  const dialling = new Dialling(endpoint, options);
  await dialling.connect();
  return await withinTime(dialling, options);
}

/** One endpoint that is being dialled. */
class Dialling {
  readonly #endpoint: DialledEndpoint;
  readonly #options: DialOptions;
  readonly #start = performance.now();
  /** What leads on from here. */
  #stream: ByteStream | undefined;
  readonly #over = new AbortController();
  /** Whose answer is waited for: `127.0.0.1:443: connected, and then no answer to …` */
  waitsFor = "";
  /** What kind of answer that is. */
  phase: DialTimeout["phase"] = "upgrade";

  constructor(endpoint: DialledEndpoint, options: DialOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** What is left of the time for all of it, in milliseconds; 0 where there is no limit. */
  get timeLeft(): number {
    const { timeout } = this.#options;
    return timeout > 0 ? Math.max(1, timeout - (performance.now() - this.#start)) : 0;
  }

  /** Connects to whom the carrier leads, anew where that was done already. */
  async connect(): Promise<ByteStream> {
    const { proxy, address } = this.#endpoint;
    this.close();
    const stream = await dialAddress(proxy?.address ?? address, {
      ...this.#options,
      timeout: this.timeLeft,
    });
    this.#stream = stream;
    if (this.#over.signal.aborted) this.end();
    return stream;
  }

  /** From the carrier to the service. */
  async goOn(): Promise<ByteStream> {
    const { proxy, layers } = this.#endpoint;
    if (proxy) await this.#throughProxy(proxy);
    if (layers) await this.#throughLayers(layers);
    return this.#stream!;
  }

  async #throughProxy(proxy: Proxy): Promise<void> {
    const start = performance.now();
    const { address } = this.#endpoint;
    try {
      if (isUnix(address)) throw new Error("a proxy cannot reach a Unix socket");
      const { hostname } = address;
      const addresses = takesAddresses(proxy) ? await this.#lookUp(hostname) : [hostname];
      this.waitsFor = `the ${
        formatProxy(proxy)
      }: connected, and then no answer to what it was asked`;
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
    this.#options.onStep?.({ step: "proxied", proxy, took: performance.now() - start });
  }

  /** Looks up the target's name here, for a proxy that takes addresses alone. */
  async #lookUp(hostname: string): Promise<readonly string[]> {
    if (isIP(hostname)) return [hostname];
    const start = performance.now();
    const { signal, onStep } = this.#options;
    this.waitsFor = `the name server does not answer: no address of ${hostname}`;
    this.phase = "look-up";
    const { addresses, from } = await resolver.lookUp(hostname, signal ? { signal } : {});
    this.phase = "upgrade";
    onStep?.({ step: "resolved", hosts: addresses, from, took: performance.now() - start });
    return addresses;
  }

  async #throughLayers(layers: ClientLayers): Promise<void> {
    const { address } = this.#endpoint;
    const name = formatAddress(address);
    let start = performance.now();
    const agreed = (step: LayerStep) =>
      this.#options.onStep?.({ ...step, took: performance.now() - start });
    const context = contextOf(this.#stream!, this.#over.signal);
    for (const { stage, answer } of connectStages(layers, agreed)) {
      start = performance.now();
      this.waitsFor = `${name}: connected, and then no answer to ${answer}`;
      try {
        this.#stream = await stage(this.#stream!, context);
      } catch (error) {
        if (error instanceof Error) error.message = `${name}: ${error.message}`;
        throw error;
      }
    }
  }

  /** Closes what there is, and what may still come. */
  end(): void {
    this.#over.abort();
    this.close();
  }

  /** Closes what there is. */
  close(): void {
    try {
      this.#stream?.close();
    } catch {
      // A handshake that failed has closed it already.
    }
    this.#stream = undefined;
  }
}

/** Goes on, and closes everything when that takes too long, saying who did not answer what. */
async function withinTime(
  dialling: Dialling,
  { timeout, signal }: DialOptions,
): Promise<ByteStream> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = tasks.guard(() => reject(signal?.reason));
  const late = tasks.guard(() =>
    reject(new DialTimeout(`${dialling.waitsFor} in ${formatDuration(timeout)}`, dialling.phase))
  );
  const timer = timeout > 0 ? setTimeout(late, dialling.timeLeft) : undefined;
  signal?.addEventListener("abort", abort);
  // It may have been aborted between the carrier's connection and here.
  if (signal?.aborted) abort();
  const going = dialling.goOn();
  try {
    return await Promise.race([going, promise]);
  } catch (error) {
    dialling.end();
    await going.catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
