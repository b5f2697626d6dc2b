/**
 * The health of what an outlet depends on, such as its upstreams, as all threads of the server know it.
 *
 * @module
 */

/** What a thread has found out. */
export interface HealthFinding {
  /** What it is about: an upstream's address. */
  readonly name: string;
  /** Failures in a row; 0 once it is well. */
  readonly failures: number;
  /** The same in words, for the event. */
  readonly text: string;
}

/** Reports findings, and follows those of other threads. */
export interface SharedHealth {
  /**
   * Reports a finding. It is published as an event and passed to the other threads, unless another thread has
   * reported it first.
   */
  report(finding: HealthFinding): void;
  /** Calls back with the failures that are known, now if there are any, and with every change, until aborted. */
  follow(name: string, options: HealthFollowOptions): void;
}

/** How findings are followed. */
export interface HealthFollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Takes over the number of failures in a row. */
  adopt(failures: number): void;
}
