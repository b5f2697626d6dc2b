/**
 * The health of what an outlet depends on, such as its upstreams, shared by all threads of the server.
 *
 * @module
 */

/** The result of a health check. */
export interface HealthFinding {
  /** What was checked: an upstream's address. */
  readonly name: string;
  /** Consecutive failures; 0 once it works. */
  readonly failures: number;
  /** A description for the event. */
  readonly text: string;
}

/** Reports findings, and follows those of other threads. */
export interface SharedHealth {
  /**
   * Publishes a finding as an event and passes it to the other threads, unless another thread has reported it first.
   */
  report(finding: HealthFinding): void;
  /** Calls `adopt` with the known failures, if any, and with every change, until aborted. */
  follow(name: string, options: HealthFollowOptions): void;
}

/** How findings are followed. */
export interface HealthFollowOptions {
  /** Aborted to stop following. */
  readonly signal: AbortSignal;
  /** Takes over the number of consecutive failures. */
  adopt(failures: number): void;
}
