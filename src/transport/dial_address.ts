/**
 * Connects to a host: resolves the name and tries its addresses, the next one a moment after the
 * last (RFC 8305, "Happy Eyeballs").
 *
 * @module
 */
import { delay } from "@std/async/delay";
import {
  type Address,
  formatAddress,
  type InternetAddress,
  isIP,
  isUnix,
} from "../endpoint/address.ts";
import { familyOf, type LocalEnd, type Source } from "../endpoint/source.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { carrierOf } from "./carriers.ts";
import { briefly, failureOf, meaningOf, tooLate } from "./dial_error.ts";
import type { KeepAliveTimes } from "./keep_alive_options.ts";
import { type Resolved, resolver } from "./resolver.ts";
import type { ByteStream } from "./stream.ts";

/** A step of connecting. Times are in milliseconds. */
export type AddressStep =
  | {
    readonly step: "resolved";
    readonly hosts: readonly string[];
    readonly from: Resolved["from"];
    readonly elapsed: number;
  }
  | { readonly step: "trying"; readonly address: Address }
  | {
    readonly step: "failed";
    readonly address: Address;
    readonly reason: string;
    /** The system's error, or why the attempt was aborted. */
    readonly error: unknown;
    readonly elapsed: number;
  }
  | { readonly step: "connected"; readonly address: Address; readonly elapsed: number };

/** Options of {@linkcode dialAddress}. */
export interface DialAddressOptions {
  /** The time limit in milliseconds, name look-up included; 0 for none. */
  readonly timeout: number;
  /** Aborts connecting. */
  readonly signal?: AbortSignal | undefined;
  /** Called for every step. */
  readonly onStep?: ((step: AddressStep) => void) | undefined;
  /** Where the connection has to come from. */
  readonly from?: LocalEnd | undefined;
  /** When keep-alive probes are sent; the system's times by default. */
  readonly keepAliveTimes?: KeepAliveTimes | undefined;
  /**
   * Selects the addresses of the target's name that are tried.
   * @throws {Error} if there are none
   */
  readonly select?: ((addresses: readonly string[]) => readonly string[]) | undefined;
}

/** What all attempts share. */
type Within = Pick<DialAddressOptions, "onStep" | "from" | "keepAliveTimes"> & {
  readonly signal: AbortSignal;
};

const tasks = new TaskScope("connecting", { consequence: "the attempt counts as failed" });

/** The Connection Attempt Delay in milliseconds (RFC 8305, section 5). */
const CONNECTION_ATTEMPT_DELAY = 250;

/**
 * Connects to the first address of the target that accepts.
 * @throws {Error} what was tried, what happened, and what it means
 */
export async function dialAddress(
  target: Address,
  options: DialAddressOptions,
): Promise<ByteStream> {
  const giveUp = new AbortController();
  let phase: "look-up" | "connect" = "connect";
  const timer = timerFor(
    options.timeout,
    () => giveUp.abort(tooLate(options.timeout, phase)),
  );
  const abort = tasks.guard(() => giveUp.abort(options.signal?.reason));
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted) abort();
  try {
    const within = { ...options, signal: giveUp.signal };
    if (isUnix(target) || isIP(target.hostname)) return await attempt(target, within);
    phase = "look-up";
    const found = await resolve(target.hostname, within);
    const hosts = options.select?.(found) ?? found;
    phase = "connect";
    return await race(hosts.map((hostname) => ({ hostname, port: target.port })), within);
  } catch (error) {
    const cause = giveUp.signal.aborted ? giveUp.signal.reason : error;
    throw new Error(
      `cannot connect to ${formatAddress(target)}: ${await meaningOf(cause, target)}`,
      {
        cause,
      },
    );
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
    giveUp.abort("over");
  }
}

/** A signal that is aborted after `timeout` milliseconds; 0 for never. */
function timerFor(
  timeout: number,
  onLate: () => void,
): ReturnType<typeof setTimeout> | undefined {
  return timeout > 0 ? setTimeout(tasks.guard(onLate), timeout) : undefined;
}

/**
 * The addresses of a host name that can be reached from the local end; an IP address is returned as
 * it is.
 * @throws {Error} why there are none
 */
export async function lookUp(
  hostname: string,
  { from: local, ...options }: { signal?: AbortSignal; from?: LocalEnd | undefined } = {},
): Promise<readonly string[]> {
  if (isIP(hostname)) return [hostname];
  const { addresses } = await resolver.lookUp(hostname, options);
  return local === undefined ? addresses : usable(addresses, { hostname, local });
}

async function resolve(
  hostname: string,
  { signal, onStep, from: local }: Within,
): Promise<readonly string[]> {
  const start = performance.now();
  const { addresses, from } = await resolver.lookUp(hostname, { signal });
  onStep?.({ step: "resolved", hosts: addresses, from, elapsed: performance.now() - start });
  return local === undefined ? addresses : usable(addresses, { hostname, local });
}

/**
 * The addresses of a name that can be reached from the local end.
 * @throws {Error} which says that there are none
 */
function usable(
  addresses: readonly string[],
  { hostname, local }: { readonly hostname: string; readonly local: LocalEnd },
): readonly string[] {
  const family = local.family ?? (local.hostname && familyOf(local.hostname));
  if (family === undefined) return addresses;
  const found = addresses.filter((address) => familyOf(address) === family);
  if (found.length > 0) return found;
  throw new Error(`${hostname} has no ${family} address: it has ${addresses.join(", ")}`);
}

/**
 * Starts an attempt for each address in order, the next one when the last has failed or after the
 * Connection Attempt Delay, and returns the first stream that connects.
 */
async function race(
  addresses: readonly InternetAddress[],
  within: Within,
): Promise<ByteStream> {
  const attempts: Promise<ByteStream>[] = [];
  for (const address of addresses) {
    const last = attempt(address, within);
    attempts.push(last);
    const failed = last.then(() => new Promise<never>(() => {}), () => undefined);
    const won = Promise.any(attempts).catch(() => undefined);
    if (attempts.length === addresses.length) break;
    // Only one attempt at a time can have a port of its own choice.
    if (within.from?.port !== undefined) await Promise.race([failed, won]);
    else if (await settledWithinDelay([failed, won], within.signal) !== undefined) break;
  }
  try {
    const winner = await Promise.any(attempts);
    for (const other of attempts) {
      handledElsewhere(other.then((connection) => connection !== winner && connection.close()));
    }
    return winner;
  } catch (error) {
    throw await failureOf(addresses, (error as AggregateError).errors);
  }
}

async function attempt(
  address: Address,
  { signal, onStep, from, keepAliveTimes }: Within,
): Promise<ByteStream> {
  signal.throwIfAborted();
  const start = performance.now();
  onStep?.({ step: "trying", address });
  try {
    const connection = await carrierOf(address).connect(address, {
      signal,
      source: sourceOf(from),
      keepAliveTimes,
    });
    onStep?.({ step: "connected", address, elapsed: performance.now() - start });
    return connection;
  } catch (error) {
    const cause = signal.aborted ? signal.reason : error;
    const elapsed = performance.now() - start;
    onStep?.({ step: "failed", address, reason: briefly(cause, address), error: cause, elapsed });
    throw error;
  }
}

/** Where to come from, if more than a version of IP was asked for. */
function sourceOf(from: LocalEnd | undefined): Source | undefined {
  return from?.hostname === undefined && from?.port === undefined ? undefined : from;
}

/**
 * Resolves to the first of these outcomes, or to `undefined` after the delay or when the signal is
 * aborted.
 */
async function settledWithinDelay<T>(
  outcomes: Promise<T>[],
  signal: AbortSignal,
): Promise<T | undefined> {
  const abort = new AbortController();
  const pause = delay(CONNECTION_ATTEMPT_DELAY, { signal: AbortSignal.any([signal, abort.signal]) })
    .then(() => undefined, () => undefined);
  try {
    return await Promise.race([...outcomes, pause]);
  } finally {
    abort.abort();
  }
}
