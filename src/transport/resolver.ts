/**
 * Names to addresses, for everybody in this thread: one look-up for all who want the same name, a few at a time,
 * answers kept for a moment, and known addresses that go on while the name servers are silent (RFC 8767).
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { LookupError } from "./lookup_error.ts";
import {
  type LookupLane,
  LookupQueue,
  type LookupQueueCounts,
  type LookupQueueTimes,
} from "./lookup_queue.ts";

/** In milliseconds. */
export interface ResolverTimes extends LookupQueueTimes {
  /** How long an answer is good for: the system tells no TTL. */
  readonly answer: number;
  /** How long a failure is good for. */
  readonly failure: number;
  /** After so long without an answer a name is silent, and known addresses are used (RFC 8767, section 5). */
  readonly silence: number;
}

const TIMES: ResolverTimes = {
  answer: 5_000,
  failure: 1_000,
  silence: 1_800,
  place: 250,
  queue: 5_000,
};

/** Names that are remembered; of more, the one that was asked for longest ago is forgotten. */
const REMEMBERED = 1_000;

/** What a name stands for. */
export interface Resolved {
  /** Its addresses, in the order in which to try them. */
  readonly addresses: readonly string[];
  /** Whether the system was asked just now, or a moment ago, or has not answered since. */
  readonly from: "system" | "cache" | "stale";
}

/** What a resolver has done so far, and does now. */
export interface ResolverCounts extends LookupQueueCounts {
  /** Of the questions that the system was asked, how many failed. */
  readonly failures: number;
  /** Answers that came from memory. */
  readonly hits: number;
  /** Answers that were older than they should be, because the system was silent. */
  readonly stale: number;
  /** Callers that wait now. */
  readonly waiting: number;
}

/** What a resolver works with. */
export interface ResolverOptions {
  /** Asks the system. */
  ask?(name: string): Promise<readonly string[]>;
  /** What it waits for, and for how long it knows. */
  readonly times?: Partial<ResolverTimes>;
}

/** What is known of a name. */
interface Entry {
  readonly name: string;
  addresses?: readonly string[] | undefined;
  failure?: LookupError | undefined;
  freshUntil: number;
  /** What it is looked up as. */
  lane: LookupLane;
  /** Whether the system did not answer when it was asked last. */
  isSilent: boolean;
  /** What all who ask wait for, while the system is being asked. */
  answer?: Promise<Resolved> | undefined;
}

const tasks = new TaskScope("looking up a name", {
  without: "those who wait for it give up in time",
});

/** Looks names up. */
export class Resolver {
  readonly #lookups: LookupQueue;
  readonly #times: ResolverTimes;
  readonly #entries = new Map<string, Entry>();
  readonly #counts = { failures: 0, hits: 0, stale: 0, waiting: 0 };

  /** A resolver that knows no name yet. */
  constructor({ ask, times }: ResolverOptions = {}) {
    this.#times = { ...TIMES, ...times };
    this.#lookups = new LookupQueue({ ask, times: this.#times });
  }

  /** What it has done so far, and does now. */
  get counts(): ResolverCounts {
    return { ...this.#counts, ...this.#lookups.counts };
  }

  /**
   * The addresses of a name. When the signal is aborted the wait ends at once; the look-up goes on for others.
   *
   * @throws {LookupError} which says why there are none
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
    if (entry.isSilent && entry.addresses) return this.#known(entry);
    this.#counts.waiting++;
    try {
      return await unlessAborted(entry.answer, signal);
    } finally {
      this.#counts.waiting--;
    }
  }

  /** What is known of a name, as the one that was asked for last. */
  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name) ??
      { name, freshUntil: 0, lane: "new", isSilent: false };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    for (const [oldest, { answer }] of this.#entries) {
      if (this.#entries.size <= REMEMBERED) break;
      if (!answer) this.#entries.delete(oldest);
    }
    return entry;
  }

  #known({ addresses = [], isSilent }: Entry): Resolved {
    this.#counts[isSilent ? "stale" : "hits"]++;
    return { addresses, from: isSilent ? "stale" : "cache" };
  }

  /** Asks the system, and gives those who wait what is known when that takes long. */
  #refresh(entry: Entry): Promise<Resolved> {
    const { promise, resolve, reject } = Promise.withResolvers<Resolved>();
    handledElsewhere(promise);
    const late = setTimeout(
      tasks.guard(() => {
        entry.isSilent = true;
        entry.lane = "silent";
        if (entry.addresses) resolve(this.#known(entry));
      }),
      this.#times.silence,
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
      entry.addresses = await this.#lookups.lookUp(entry.name, entry.lane);
      Object.assign(entry, {
        failure: undefined,
        isSilent: false,
        lane: "answered",
        ...freshFor(this.#times.answer),
      });
    } catch (cause) {
      throw this.#failed(entry, new LookupError(cause, { took: performance.now() - start }));
    }
  }

  /** Remembers a failure; where nobody answered, addresses that are known stay. */
  #failed(entry: Entry, failure: LookupError): LookupError {
    const { kind } = failure;
    if (kind !== "refused") this.#counts.failures++;
    if (kind === "unknown") entry.lane = "answered";
    else if (kind === "unanswered") entry.lane = "silent";
    const keeps = kind !== "unknown" && entry.addresses !== undefined;
    Object.assign(entry, { isSilent: keeps, ...freshFor(this.#times.failure) });
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

/** Waits no longer than until the signal is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
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
