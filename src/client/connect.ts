/**
 * From a client's options to a connection: the way to the target, walked again where it is asked for.
 *
 * @module
 */
import type { ClientOptions } from "../config/client_config.ts";
import type { Proxy } from "../endpoint/proxy.ts";
import { dial, type DialledEndpoint, type DialStep } from "../transport/dial.ts";
import { type Address, isUnix } from "../endpoint/address.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { KeyPair } from "../transport/tls/key_pair.ts";
import { readPem } from "../transport/tls/pem.ts";
import { retrying } from "./retry.ts";

/** Who hears of it, and who ends it. */
export interface ConnectOptions {
  /** Told of every step. */
  readonly onStep?: (step: DialStep) => void;
  /** Takes a line about what happens. */
  tell(line: string): void;
  /** Makes no other attempt once aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up the attempt that is under way, too; Deno loses a connection that comes at that very moment. */
  readonly abandon?: AbortSignal | undefined;
}

/**
 * The way to the target.
 *
 * @throws {Error} which names the file that cannot be read
 */
export async function endpointOf(
  target: Address,
  options: ClientOptions,
): Promise<DialledEndpoint> {
  const proxy = proxyOf(options);
  if (!options.tls) return { address: target, proxy };
  const host = isUnix(target) ? "localhost" : target.hostname;
  return {
    address: target,
    proxy,
    layers: {
      tls: {
        serverName: options["tls-server-name"] ?? host,
        ca: await readPem(options["tls-ca"], "--tls-ca"),
        ...await identityOf(options),
        pins: options["tls-pin"],
        insecure: options["tls-insecure"],
        alpn: options.alpn,
      },
    },
  };
}

/** The proxy, with what we are to it, wherever that was said. */
function proxyOf(
  { proxy, "proxy-auth": credentials, "proxy-auth-preemptive": preemptive }: ClientOptions,
): Proxy | undefined {
  return proxy && { ...proxy, credentials: credentials ?? proxy.credentials, preemptive };
}

async function identityOf(
  { "tls-cert": certFile, "tls-key": keyFile }: ClientOptions,
): Promise<KeyPair | undefined> {
  if (certFile === undefined) return undefined;
  const { readKeyPair } = await import("../transport/tls/key_pair.ts");
  return await readKeyPair({ certFile, keyFile, prefix: "--tls" });
}

/**
 * Walks the way, and again where that fails and `--retry` says so.
 *
 * @returns the socket, and how long the walk took that got there, without looking up the name, in milliseconds
 */
export async function connectWithRetry(
  endpoint: DialledEndpoint,
  { options, onStep, tell, signal, abandon }: ConnectOptions & { options: ClientOptions },
): Promise<{ socket: ByteStream; took: number }> {
  if (options["tls-insecure"]) {
    tell("warning: --tls-insecure: whoever answers is trusted, and may read and change everything");
  }
  return await retrying(async () => {
    const start = performance.now();
    let lookup = 0;
    const step = (step: DialStep) => {
      if (step.step === "resolved") lookup += step.took;
      onStep?.(step);
    };
    const timeout = options.probe
      ? options.timeout ?? options["connect-timeout"]
      : options["connect-timeout"];
    const socket = await dial(endpoint, { timeout, onStep: step, signal: abandon });
    return { socket, took: performance.now() - start - lookup };
  }, {
    retries: options.retry,
    delay: options["retry-delay"],
    signal,
    isFinal: (error) => error instanceof Error && error.name === "TrustError",
    tell,
  });
}
