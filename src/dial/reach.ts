/**
 * The whole way to a service: a connection, through a proxy where there is one, with TLS where it is asked for.
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";
import { type Address, formatAddress, isUnix } from "../socket/address.ts";
import type { Socket } from "../socket/connection.ts";
import { dial, type DialStep, lookUp } from "../socket/dial.ts";
import { explain } from "../socket/faults.ts";
import { askProxy } from "./ask_proxy.ts";
import { formatProxy, type Proxy, takesAddresses } from "./proxy.ts";
import type { TlsClientOptions, TlsSession } from "./tls_client.ts";

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
export type ReachStep =
  | DialStep
  | { readonly step: "proxied"; readonly proxy: Proxy; readonly took: number }
  | { readonly step: "secured"; readonly session: TlsSession; readonly took: number };

/** How long it may take, and who hears of it. */
export interface ReachOptions {
  /** Milliseconds after which it is given up, all of it together. */
  readonly timeout: number;
  /** Gives up at once when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every step. */
  readonly onStep?: ((step: ReachStep) => void) | undefined;
}

/**
 * Reaches the service. Closing the socket closes everything on the way.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function reach(route: Route, options: ReachOptions): Promise<Socket> {
  const start = performance.now();
  const socket = await dial(route.proxy?.address ?? route.target, {
    timeout: options.timeout,
    ...options.signal ? { signal: options.signal } : {},
    ...options.onStep ? { onStep: options.onStep } : {},
  });
  if (!route.proxy && !route.tls) return socket;
  const left = Math.max(1, options.timeout - (performance.now() - start));
  return await withinTime(socket, {
    ...options,
    timeout: left,
    goOn: () => goOn(socket, route, options),
  });
}

/** From a connection to the first station on to the service. */
async function goOn(socket: Socket, route: Route, { onStep }: ReachOptions): Promise<Socket> {
  const { target, proxy, tls } = route;
  let start = performance.now();
  if (proxy) {
    await through(socket, { proxy, target });
    onStep?.({ step: "proxied", proxy, took: performance.now() - start });
  }
  if (!tls) return socket;
  start = performance.now();
  const { secure } = await import("./tls_client.ts");
  const secured = await secure(socket, tls).catch((error) => {
    error.message = `${formatAddress(target)}: ${error.message}`;
    throw error;
  });
  onStep?.({ step: "secured", session: secured.session, took: performance.now() - start });
  return secured.socket;
}

async function through(
  socket: Socket,
  { proxy, target }: { proxy: Proxy; target: Address },
): Promise<void> {
  try {
    if (isUnix(target)) throw new Error("a proxy reaches no Unix socket");
    const hostname = takesAddresses(proxy) ? (await lookUp(target.hostname))[0]! : target.hostname;
    await askProxy(socket, { proxy, target: { ...target, hostname } });
  } catch (cause) {
    throw new Error(
      `cannot connect to ${formatAddress(target)} through the ${formatProxy(proxy)}: ` +
        explain(cause),
      { cause },
    );
  }
}

/** Closes the socket, and says so, when the rest of the way takes too long. */
async function withinTime(
  socket: Socket,
  { timeout, signal, goOn }: ReachOptions & { goOn(): Promise<Socket> },
): Promise<Socket> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal?.reason);
  const timer = setTimeout(
    () => reject(new Error(`connected, and then no answer in ${formatDuration(timeout)}`)),
    timeout,
  );
  signal?.addEventListener("abort", abort);
  const going = goOn();
  try {
    return await Promise.race([going, promise]);
  } catch (error) {
    close(socket);
    await going.catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function close(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // A handshake that failed has closed it already.
  }
}
