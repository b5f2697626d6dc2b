/**
 * How a room reaches somebody in it, and how long it waits for them.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";

/** Whoever takes what a room tells. */
export interface Taker {
  /** Bytes that have still to be taken. */
  readonly waiting: number;
  /** Resolves when what was waiting has been taken. */
  caughtUp(): Promise<void>;
}

/** How a room reaches somebody in it. */
export interface Ear extends Taker {
  /** Takes a line, with its newline; never waits. */
  hear(line: Uint8Array): void;
  /** Sends the member away, with the reason. */
  dismiss(reason: string): void;
}

/** Bytes that may wait for a member before speakers wait for it. */
const MUCH = 64 * 1024;

/** The longest that a speaker waits for somebody who does not read, in milliseconds. */
const PATIENCE = 50;

/** Resolves when none of them has much left to take, or soon in any case. */
export async function heard(takers: readonly Taker[]): Promise<void> {
  const behind = takers.filter(({ waiting }) => waiting > MUCH);
  if (behind.length === 0) return;
  await deadline(Promise.all(behind.map((taker) => taker.caughtUp())), PATIENCE).catch(() => {});
}
