/**
 * The resolver of a thread. It shares concurrent look-ups of a name, limits their number, caches
 * the results for a moment, and serves stale addresses while name servers do not respond (RFC
 * 8767).
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { LookupError } from "./lookup_error.ts";
import {
  type LookupPriority,
  LookupQueue,
  type LookupQueueCounts,
  type LookupQueueTimes,
} from "./lookup_queue.ts";

/** Times in milliseconds. */
export interface ResolverTimes extends LookupQueueTimes {
  /** How long a result is cached: the system does not report the TTL. */
  readonly answer: number;
  /** How long a failure is cached. */
  readonly failure: number;
  /** How long to wait for an answer before stale addresses are used (RFC 8767, section 5). */
  readonly clientResponse: number;
}

const TIMES: ResolverTimes = {
  answer: 5_000,
  failure: 1_000,
  clientResponse: 1_800,
  slot: 250,
  queue: 5_000,
};

/** The maximum number of cached names; the least recently used is evicted. */
const MAX_NAMES = 1_000;

/** The result of a look-up. */
export interface Resolved {
  /** The addresses in the order in which to try them. */
  readonly addresses: readonly string[];
  /** Whether the addresses are fresh, cached, or stale. */
  readonly from: "system" | "cache" | "stale";
}

/** The counters of a resolver. */
export interface ResolverCounts extends LookupQueueCounts {
  /** Look-ups that failed. */
  readonly failures: number;
  /** Results from the cache. */
  readonly hits: number;
  /** Stale results, because the system did not answer in time. */
  readonly stale: number;
  /** Callers that are waiting. */
  readonly waiting: number;
}

/** Options of {@linkcode Resolver}. */
export interface ResolverOptions {
  /** The look-up function; by default the system's resolver. */
  ask?(name: string): Promise<readonly string[]>;
  /** Times that differ from the defaults. */
  readonly times?: Partial<ResolverTimes>;
}

/** A cached name. */
interface Entry {
  readonly name: string;
  addresses?: readonly string[] | undefined;
  failure?: LookupError | undefined;
  freshUntil: number;
  /** The priority of its next look-up. */
  priority: LookupPriority;
  /** Whether the last look-up was not answered. */
  isUnanswered: boolean;
  /** The pending look-up, shared by all callers. */
  answer?: Promise<Resolved> | undefined;
}

const tasks = new TaskScope("looking up a name", {
  consequence: "waiting connects time out",
});

/** Resolves names. */
export class Resolver {
  readonly #lookups: LookupQueue;
  readonly #times: ResolverTimes;
  readonly #entries = new Map<string, Entry>();
  readonly #counts = { failures: 0, hits: 0, stale: 0, waiting: 0 };

  /** A resolver with an empty cache. */
  constructor({ ask, times }: ResolverOptions = {}) {
    this.#times = { ...TIMES, ...times };
    this.#lookups = new LookupQueue({ ask, times: this.#times });
  }

  /** The counters. */
  get counts(): ResolverCounts {
    return { ...this.#counts, ...this.#lookups.counts };
  }

  /**
   * The addresses of a name. Aborting the signal ends the wait; the look-up goes on for other
   * callers.
   * @throws {LookupError} why there are none
   */
  async lookUp(name: string, { signal }: { signal?: AbortSignal } = {}): Promise<Resolved> {
    const entry = this.#entryOf(name);
    if (performance.now() < entry.freshUntil) {
      if (entry.failure) {
        this.#counts.hits++;
        throw entry.failure;
      }
      return this.#known(entry);
    }
    entry.answer ??= this.#refresh(entry);
    if (entry.isUnanswered && entry.addresses) return this.#known(entry);
    this.#counts.waiting++;
    try {
      return await withSignal(entry.answer, signal);
    } finally {
      this.#counts.waiting--;
    }
  }

  /** The cache entry of a name, marked as the most recently used. */
  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name) ??
      { name, freshUntil: 0, priority: "new", isUnanswered: false };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    for (const [oldest, { answer }] of this.#entries) {
      if (this.#entries.size <= MAX_NAMES) break;
      if (!answer) this.#entries.delete(oldest);
    }
    return entry;
  }

  #known({ addresses = [], isUnanswered }: Entry): Resolved {
    this.#counts[isUnanswered ? "stale" : "hits"]++;
    return { addresses, from: isUnanswered ? "stale" : "cache" };
  }

  /** Looks the name up. If that takes long, callers get the stale addresses. */
  #refresh(entry: Entry): Promise<Resolved> {
    const { promise, resolve, reject } = Promise.withResolvers<Resolved>();
    handledElsewhere(promise);
    const late = setTimeout(
      tasks.guard(() => {
        entry.isUnanswered = true;
        entry.priority = "unanswered";
        if (entry.addresses) resolve(this.#known(entry));
      }),
      this.#times.clientResponse,
    );
    const begin = async () => {
      try {
        await this.#lookUpNow(entry);
        resolve({ addresses: entry.addresses ?? [], from: "system" });
      } catch (error) {
        if (entry.addresses) resolve(this.#known(entry));
        else reject(error);
      } finally {
        clearTimeout(late);
        entry.answer = undefined;
      }
    };
    tasks.run(begin);
    return promise;
  }

  async #lookUpNow(entry: Entry): Promise<void> {
    const start = performance.now();
    try {
      entry.addresses = await this.#lookups.lookUp(entry.name, entry.priority);
      Object.assign(entry, {
        failure: undefined,
        isUnanswered: false,
        priority: "answered",
        ...freshFor(this.#times.answer),
      });
    } catch (cause) {
      throw this.#failed(entry, new LookupError(cause, { elapsed: performance.now() - start }));
    }
  }

  /** Caches a failure. If there was no answer, known addresses are kept. */
  #failed(entry: Entry, failure: LookupError): LookupError {
    const { kind } = failure;
    if (kind !== "refused") this.#counts.failures++;
    if (kind === "unknown") entry.priority = "answered";
    else if (kind === "unanswered") entry.priority = "unanswered";
    const keeps = kind !== "unknown" && entry.addresses !== undefined;
    Object.assign(entry, { isUnanswered: keeps, ...freshFor(this.#times.failure) });
    entry.failure = keeps ? undefined : failure;
    if (!keeps) entry.addresses = undefined;
    return failure;
  }
}

function freshFor(time: number): Pick<Entry, "freshUntil"> {
  return { freshUntil: performance.now() + time };
}

/** The resolver of this thread. */
export const resolver: Resolver = new Resolver();

/** Settles like the promise, or rejects when the signal is aborted. */
async function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = tasks.guard(() => reject(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) reject(signal.reason);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
