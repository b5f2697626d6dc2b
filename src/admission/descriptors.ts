/**
 * File descriptors: how many the process may have, and how many connections that is enough for.
 *
 * @module
 */

import { descriptorLimit } from "../transport/spare_descriptors.ts";

/** Descriptors that connections never get, so that log, metrics and look-ups work when all else is full. */
const RESERVE = { least: 32, most: 256, share: 1 / 16 };

/** What the descriptor limit allows. */
export interface DescriptorBudget {
  /** The soft limit of the process. */
  readonly limit: number;
  /** What is left for connections. */
  readonly free: number;
}

/** What is left now of the process's descriptors, less a reserve; `undefined` where the system does not tell. */
export function descriptorBudget(): DescriptorBudget | undefined {
  try {
    const limit = descriptorLimit();
    if (limit === undefined) return undefined;
    const used = [...Deno.readDirSync("/proc/self/fd")].length;
    const reserve = Math.min(Math.max(limit * RESERVE.share, RESERVE.least), RESERVE.most);
    return { limit, free: Math.max(Math.floor(limit - used - reserve), 1) };
  } catch {
    // Not Linux, or without the right to read: accept itself finds out where the limit is.
    return undefined;
  }
}
