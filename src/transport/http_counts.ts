/**
 * What the HTTP servers of this process have done to clients that did not keep up, counted.
 *
 * @module
 */

/** The counts so far. */
export const httpCounts: {
  /** Clients that were cut off: they kept a server waiting, or made room for others. */
  cutOff: number;
  /** Readers of event streams that were dropped: too much waited for them. */
  streamsDropped: number;
} = { cutOff: 0, streamsDropped: 0 };
