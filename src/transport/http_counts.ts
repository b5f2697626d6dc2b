/**
 * Counters of the HTTP servers of this process.
 *
 * @module
 */

/** The counters. */
export const httpCounts: {
  /**
   * Clients that were disconnected: they exceeded a time limit, or the connection limit was
   * reached.
   */
  cutOff: number;
  /** Event streams that were closed because their readers were too slow. */
  streamsDropped: number;
} = { cutOff: 0, streamsDropped: 0 };
