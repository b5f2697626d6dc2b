/**
 * The whole way to a service: a connection, through a proxy where there is one, with TLS where it is asked for.
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";
import { type Address, formatAddress, isIP, isUnix } from "../endpoint/address.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { ByteStream } from "./stream.ts";
import { dial, type DialStep } from "./dial.ts";
import { DialTimeout } from "./dial_error.ts";
import { explain } from "./errors.ts";
import { resolver } from "./resolver.ts";
import { connectToTarget } from "./proxy/connect.ts";
import { formatProxy, type Proxy, takesAddresses } from "../endpoint/proxy.ts";
import type { TlsClientOptions, TlsSession } from "./tls/connect.ts";

const tasks = new TaskScope("going the way to a service", {
  without: "the attempt counts as failed",
});

/** Where to go, and by which way. */
export interface Route {
  /** The service. */
  readonly target: Address;
  /** Who connects in our stead. */
  readonly proxy?: Proxy | undefined;
  /** What is asked of TLS; without it there is none. */
  readonly tls?: TlsClientOptions | undefined;
}

/** What happens on the way. Times are in milliseconds. */
export type RouteStep =
  | DialStep
  | { readonly step: "proxied"; readonly proxy: Proxy; readonly took: number }
  | { readonly step: "secured"; readonly session: TlsSession; readonly took: number };

/** How long it may take, and who hears of it. */
export interface RouteOptions {
  /** Milliseconds after which it is given up, all of it together; never, where it is 0. */
  readonly timeout: number;
  /** Gives up at once when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every step. */
  readonly onStep?: ((step: RouteStep) => void) | undefined;
}

/**
 * Reaches the service. Closing the socket closes everything on the way.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function dialRoute(route: Route, options: RouteOptions): Promise<ByteStream> {
  const walk = new Walk(route, options);
  await walk.dial();
  if (!route.proxy && !route.tls) return walk.socket!;
  return await withinTime(walk, options);
}

/** One walk along a route. */
class Walk {
  readonly route: Route;
  readonly #options: RouteOptions;
  readonly #start = performance.now();
  /** The socket that leads on from here. */
  socket: ByteStream | undefined;
  #isOver = false;
  /** Whose answer is waited for: `127.0.0.1:443: connected, and then no answer to …` */
  waitsFor = "";
  /** What kind of answer that is. */
  phase: DialTimeout["phase"] = "upgrade";

  constructor(route: Route, options: RouteOptions) {
    this.route = route;
    this.#options = options;
  }

  /** What is left of the time for all of it, in milliseconds; 0 where there is no limit. */
  get timeLeft(): number {
    const { timeout } = this.#options;
    return timeout > 0 ? Math.max(1, timeout - (performance.now() - this.#start)) : 0;
  }

  /** Connects to the first station, anew where that was done already. */
  async dial(): Promise<ByteStream> {
    const { route: { proxy, target }, timeLeft } = this;
    const { signal, onStep } = this.#options;
    this.close();
    const socket = await dial(proxy?.address ?? target, {
      timeout: timeLeft,
      ...signal ? { signal } : {},
      ...onStep ? { onStep } : {},
    });
    this.socket = socket;
    if (this.#isOver) this.end();
    return socket;
  }

  /** From the first station to the service. */
  async goOn(): Promise<ByteStream> {
    const { proxy, tls } = this.route;
    if (proxy) await this.#throughProxy(proxy);
    if (tls) await this.#secure(tls);
    return this.socket!;
  }

  async #throughProxy(proxy: Proxy): Promise<void> {
    const start = performance.now();
    const { target } = this.route;
    try {
      if (isUnix(target)) throw new Error("a proxy reaches no Unix socket");
      const { hostname } = target;
      const addresses = takesAddresses(proxy) ? await this.#lookUp(hostname) : [hostname];
      this.waitsFor = `the ${
        formatProxy(proxy)
      }: connected, and then no answer to what it was asked`;
      this.socket = await connectToTarget(this.socket!, {
        proxy,
        target: { ...target, hostname: addresses[0]! },
        redial: () => this.dial(),
      });
    } catch (cause) {
      throw new Error(
        `cannot connect to ${formatAddress(target)} through the ${formatProxy(proxy)}: ` +
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

  async #secure(tls: TlsClientOptions): Promise<void> {
    const start = performance.now();
    const name = formatAddress(this.route.target);
    this.waitsFor = `${name}: connected, and then no answer to the TLS handshake`;
    const { connectTls } = await import("./tls/connect.ts");
    const { socket, session } = await connectTls(this.socket!, tls).catch((error) => {
      error.message = `${name}: ${error.message}`;
      throw error;
    });
    this.socket = socket;
    this.#options.onStep?.({ step: "secured", session, took: performance.now() - start });
  }

  /** Closes what there is, and what may still come. */
  end(): void {
    this.#isOver = true;
    this.close();
  }

  /** Closes what there is. */
  close(): void {
    try {
      this.socket?.close();
    } catch {
      // A handshake that failed has closed it already.
    }
    this.socket = undefined;
  }
}

/** Goes on, and closes everything when that takes too long, saying who did not answer what. */
async function withinTime(walk: Walk, { timeout, signal }: RouteOptions): Promise<ByteStream> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = tasks.guard(() => reject(signal?.reason));
  const late = tasks.guard(() =>
    reject(new DialTimeout(`${walk.waitsFor} in ${formatDuration(timeout)}`, walk.phase))
  );
  const timer = timeout > 0 ? setTimeout(late, walk.timeLeft) : undefined;
  signal?.addEventListener("abort", abort);
  const going = walk.goOn();
  try {
    return await Promise.race([going, promise]);
  } catch (error) {
    walk.end();
    await going.catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
