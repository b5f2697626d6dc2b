/**
 * Compares values of a config.
 *
 * @module
 */

/** Whether two values of a config are the same as JSON. */
export function isEqual(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
