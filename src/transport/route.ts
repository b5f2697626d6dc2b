/**
 * The whole way to a service: a connection, through a proxy where there is one, with TLS where it is asked for.
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";
import { type Address, formatAddress, isUnix } from "../endpoint/address.ts";
import type { ByteStream } from "./stream.ts";
import { dial, type DialStep, lookUp } from "./dial.ts";
import { explain } from "./errors.ts";
import { connectToTarget } from "./proxy/connect.ts";
import { formatProxy, type Proxy, takesAddresses } from "../endpoint/proxy.ts";
import type { TlsClientOptions, TlsSession } from "./tls/connect.ts";

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
  /** Milliseconds after which it is given up, all of it together. */
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
    upgrade: () => goOn(socket, route, options),
  });
}

/** From a connection to the first station on to the service. */
async function goOn(
  socket: ByteStream,
  route: Route,
  { onStep }: RouteOptions,
): Promise<ByteStream> {
  const { target, proxy, tls } = route;
  let start = performance.now();
  if (proxy) {
    await connectThroughProxy(socket, { proxy, target });
    onStep?.({ step: "proxied", proxy, took: performance.now() - start });
  }
  if (!tls) return socket;
  start = performance.now();
  const { connectTls } = await import("./tls/connect.ts");
  const secured = await connectTls(socket, tls).catch((error) => {
    error.message = `${formatAddress(target)}: ${error.message}`;
    throw error;
  });
  onStep?.({ step: "secured", session: secured.session, took: performance.now() - start });
  return secured.socket;
}

async function connectThroughProxy(
  socket: ByteStream,
  { proxy, target }: { proxy: Proxy; target: Address },
): Promise<void> {
  try {
    if (isUnix(target)) throw new Error("a proxy reaches no Unix socket");
    const hostname = takesAddresses(proxy) ? (await lookUp(target.hostname))[0]! : target.hostname;
    await connectToTarget(socket, { proxy, target: { ...target, hostname } });
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
  socket: ByteStream,
  { timeout, signal, upgrade: goOn }: RouteOptions & { upgrade(): Promise<ByteStream> },
): Promise<ByteStream> {
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

function close(socket: ByteStream): void {
  try {
    socket.close();
  } catch {
    // A handshake that failed has closed it already.
  }
}
