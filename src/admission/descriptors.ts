/**
 * How many connections the process's file descriptor limit allows.
 *
 * @module
 */

import { descriptorLimit } from "../transport/spare_descriptors.ts";

/** Descriptors kept back for the log, metrics and look-ups: a share of the limit, within bounds. */
const RESERVE = { least: 32, most: 256, share: 1 / 16 };

/** File descriptors of the process. */
export interface DescriptorBudget {
  /** The soft limit, RLIMIT_NOFILE. */
  readonly limit: number;
  /** How many are left for connections. */
  readonly free: number;
}

/** The descriptors that are free now, less a reserve; `undefined` where there is no /proc. */
export function descriptorBudget(): DescriptorBudget | undefined {
  try {
    const limit = descriptorLimit();
    if (limit === undefined) return undefined;
    const used = [...Deno.readDirSync("/proc/self/fd")].length;
    const reserve = Math.min(Math.max(limit * RESERVE.share, RESERVE.least), RESERVE.most);
    return { limit, free: Math.max(Math.floor(limit - used - reserve), 1) };
  } catch {
    // Not Linux, or /proc is not readable: accept(2) reports EMFILE at the limit.
    return undefined;
  }
}
