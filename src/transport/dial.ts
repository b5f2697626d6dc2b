/**
 * Plugging in: from a name and a port to a connection, with every address of the name tried, the next
 * one a moment after the last (RFC 8305, "Happy Eyeballs").
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatDuration } from "../options/quantity.ts";
import {
  type Address,
  formatAddress,
  type InternetAddress,
  isIPv4,
  isIPv6,
  isUnix,
} from "../endpoint/address.ts";
import { codeOf, explain } from "./errors.ts";
import { type ByteStream, streamOf } from "./stream.ts";

/** What happens on the way, for whoever wants to tell it. Times are in milliseconds. */
export type DialStep =
  | { readonly step: "resolved"; readonly hosts: readonly string[]; readonly took: number }
  | { readonly step: "trying"; readonly address: Address }
  | {
    readonly step: "failed";
    readonly address: Address;
    readonly reason: string;
    /** What the system said, or why the attempt was called off. */
    readonly error: unknown;
    readonly took: number;
  }
  | { readonly step: "connected"; readonly address: Address; readonly took: number };

/** How to dial. */
export interface DialOptions {
  /** Milliseconds after which it is given up, name look-up included. */
  readonly timeout: number;
  /** Gives up at once when aborted. */
  readonly signal?: AbortSignal;
  /** Told of every step. */
  readonly onStep?: (step: DialStep) => void;
}

/** What every attempt of one dialling has in common. */
type Within = Required<Pick<DialOptions, "signal">> & Pick<DialOptions, "onStep">;

/** How long an attempt has for itself before the next address is tried beside it (RFC 8305, section 5). */
const HEAD_START = 250;

/**
 * Connects to the first address of the target that answers.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function dial(target: Address, options: DialOptions): Promise<ByteStream> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(tooLate(options.timeout)), options.timeout);
  const abort = () => giveUp.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted) abort();
  try {
    const within = { ...options, signal: giveUp.signal };
    if (isUnix(target) || isNumeric(target.hostname)) return await attempt(target, within);
    const hosts = await unlessAborted(resolve(target.hostname, options), giveUp.signal);
    return await race(hosts.map((hostname) => ({ hostname, port: target.port })), within);
  } catch (error) {
    const cause = giveUp.signal.aborted ? giveUp.signal.reason : error;
    const said = isUnix(target) ? meaningAtPath(cause) : meaning(cause);
    throw new Error(`cannot connect to ${formatAddress(target)}: ${said}`, { cause });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
    giveUp.abort("over");
  }
}

function tooLate(timeout: number): Error {
  return new Error(
    `no answer in ${formatDuration(timeout)}: ` +
      "a firewall drops it, the host is down, or its accept queue is full",
  );
}

/** The addresses of a host, which may be one already. */
export async function lookUp(hostname: string): Promise<string[]> {
  if (isNumeric(hostname)) return [hostname];
  // Loaded for those who have a name to look up: it costs a start some 10 ms.
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(hostname, { all: true });
  return [...new Set(found.map(({ address }) => address))];
}

function isNumeric(hostname: string): boolean {
  return isIPv4(hostname) || isIPv6(hostname);
}

async function resolve(hostname: string, { onStep }: DialOptions): Promise<string[]> {
  const start = performance.now();
  const hosts = await lookUp(hostname);
  onStep?.({ step: "resolved", hosts, took: performance.now() - start });
  return hosts;
}

/** Starts an attempt for each address, one after the other, and keeps the first that succeeds. */
async function race(
  addresses: readonly InternetAddress[],
  within: Within,
): Promise<ByteStream> {
  const attempts: Promise<ByteStream>[] = [];
  for (const address of addresses) {
    const before = attempts.at(-1);
    const turn = before ? headStart(before, within.signal) : Promise.resolve();
    attempts.push(turn.then(() => attempt(address, within)));
  }
  try {
    const winner = await Promise.any(attempts);
    for (const other of attempts) {
      other.then((connection) => connection !== winner && connection.close(), () => {});
    }
    return winner;
  } catch (error) {
    const faults = (error as AggregateError).errors;
    if (faults.length === 1) throw faults[0];
    const told = addresses.map((address, i) => `${formatAddress(address)} ${explain(faults[i])}`);
    throw new Error(`${told.join("; ")}`, { cause: error });
  }
}

async function attempt(
  address: Address,
  { signal, onStep }: Within,
): Promise<ByteStream> {
  signal.throwIfAborted();
  const start = performance.now();
  onStep?.({ step: "trying", address });
  try {
    const connection = isUnix(address)
      ? streamOf(await Deno.connect({ transport: "unix", path: address.path }))
      : await connectTcp(address, signal);
    onStep?.({ step: "connected", address, took: performance.now() - start });
    return connection;
  } catch (error) {
    const cause = signal.aborted ? signal.reason : error;
    const took = performance.now() - start;
    onStep?.({ step: "failed", address, reason: explain(cause), error: cause, took });
    throw error;
  }
}

/** Connects so that small writes leave at once, and a peer that vanishes is noticed some day. */
async function connectTcp(address: InternetAddress, signal: AbortSignal): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ ...address, signal });
  connection.setNoDelay(true);
  connection.setKeepAlive(true);
  return connection;
}

/** Resolves when the attempt before has failed, or has had its time; never when it has won. */
async function headStart(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const failed = before.then(() => new Promise<never>(() => {}), () => {});
  await Promise.race([failed, delay(HEAD_START, { signal })]);
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** What a failure to connect tells of a Unix socket. */
function meaningAtPath(error: unknown): string {
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return "refused: the socket file was left behind, and nothing listens there any more";
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "permission denied: connecting needs the right to write to the socket file";
    case "EPROTOTYPE":
      return "a socket of another kind (not a stream)";
    default:
      return explain(error);
  }
}

/** What a failure to connect tells of the other end. */
function meaning(error: unknown): string {
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return "refused: the host answered, and nothing listens on that port";
    case "EHOSTUNREACH":
      return "unreachable: no route leads to the host, or it does not answer on its own network";
    case "ENETUNREACH":
      return "unreachable: this machine has no route to that network";
    case "ETIMEDOUT":
      return "no answer: a firewall drops it, the host is down, or its accept queue is full";
    case "ENOTFOUND":
      return "no such name: the name servers know no address for it";
    case "EAI_AGAIN":
      return "the name could not be looked up: no name server answered";
    default:
      return explain(error);
  }
}
