/**
 * Whether two values of a config say the same.
 *
 * @module
 */

/** Whether two values of a config say the same. */
export function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
