/**
 * Connects by the client's options, with retries.
 *
 * @module
 */
import type { ClientOptions } from "../config/client_config.ts";
import { localEndOf } from "../config/client_rules.ts";
import { formatProxy, type Proxy, takesPassword } from "../endpoint/proxy.ts";
import { UsageError } from "../options/usage_error.ts";
import { dial, type DialledEndpoint, type DialStep } from "../transport/dial.ts";
import type { Address } from "../endpoint/address.ts";
import { givenTime, type KeepAliveTimes, keepAliveTimes } from "../transport/keep_alive_options.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { ClientLayers } from "../transport/layers.ts";
import { hostField } from "../transport/websocket/host_field.ts";
import { withRetry } from "./retry.ts";

/** How progress is reported and connecting is aborted. */
export interface ConnectOptions {
  /** Called for each step of an attempt. */
  readonly onStep?: (step: DialStep) => void;
  /** Writes a line about a warning or a retry. */
  log(line: string): void;
  /** Aborted to start no further attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Aborted to cancel the current attempt, too. Deno leaks a connection that is established at that moment. */
  readonly abandon?: AbortSignal | undefined;
}

/**
 * The endpoint to dial: the target with its proxy, TLS and WebSocket settings.
 *
 * @throws {Error} which names the file that cannot be read
 */
export async function endpointOf(
  target: Address,
  options: ClientOptions,
): Promise<DialledEndpoint> {
  const proxy = proxyOf(options);
  const from = localEndOf(options);
  const times = keepAliveTimes(options);
  if (times) await refuseKeepAlive(times);
  const carrier = { address: target, proxy, from, ...times ? { keepAliveTimes: times } : {} };
  if (!options.tls && options.ws === undefined) return carrier;
  const layers = { tls: await tlsOf(target, options), ws: webSocketOf(target, options) };
  return { ...carrier, layers };
}

async function refuseKeepAlive(times: KeepAliveTimes): Promise<void> {
  const { keepAliveFault } = await import("../transport/keep_alive.ts");
  const fault = keepAliveFault();
  if (fault !== undefined) throw new UsageError(`--${givenTime(times)} ${fault}`);
}

async function tlsOf(target: Address, options: ClientOptions): Promise<ClientLayers["tls"]> {
  if (!options.tls) return undefined;
  const { readTlsClient, serverNameOf } = await import("../transport/tls/client_files.ts");
  return { ...await readTlsClient(options, "--tls"), serverName: serverNameOf(target, options) };
}

function webSocketOf(target: Address, options: ClientOptions): ClientLayers["ws"] {
  if (options.ws === undefined) return undefined;
  return {
    host: hostField(target, options),
    target: options.ws,
    headers: options.header,
    subprotocols: options.subprotocol,
    form: options.text ? "lines" : "binary",
    ping: options.ping,
  };
}

/** The proxy with its credentials, from its URL or from `--proxy-auth`. */
function proxyOf(
  { proxy, "proxy-auth": credentials, "proxy-auth-preemptive": preemptive }: ClientOptions,
): Proxy | undefined {
  if (!proxy) return undefined;
  const route = { ...proxy, credentials: credentials ?? proxy.credentials, preemptive };
  if (route.credentials && route.credentials.password === undefined && takesPassword(proxy)) {
    throw new UsageError(
      `the ${formatProxy(proxy)} needs a password, which is only asked for at a terminal: ` +
        "write USER:PASSWORD, or USER: where it is empty",
    );
  }
  return route;
}

/**
 * Dials the endpoint, and retries as `--retry` says.
 *
 * @returns the socket, and the milliseconds that the successful attempt took without the name look-up
 */
export async function connectWithRetry(
  endpoint: DialledEndpoint,
  { options, onStep, log, signal, abandon }: ConnectOptions & { options: ClientOptions },
): Promise<{ socket: ByteStream; elapsed: number }> {
  if (options["tls-insecure"]) {
    log(
      "warning: --tls-insecure: the server's certificate is not verified, so anybody may intercept this",
    );
  }
  return await withRetry(async () => {
    const start = performance.now();
    let lookup = 0;
    const step = (step: DialStep) => {
      if (step.step === "resolved") lookup += step.elapsed;
      onStep?.(step);
    };
    const timeout = options.probe
      ? options.timeout ?? options["connect-timeout"]
      : options["connect-timeout"];
    const socket = await dial(endpoint, { timeout, onStep: step, signal: abandon });
    return { socket, elapsed: performance.now() - start - lookup };
  }, {
    retries: options.retry,
    delay: options["retry-delay"],
    signal,
    isFinal: isUntrusted,
    log,
  });
}

/** Whether the server's certificate is not trusted, which another attempt does not change. */
export function isUntrusted(error: unknown): boolean {
  return error instanceof Error && error.name === "TrustError";
}
