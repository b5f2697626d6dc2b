/**
 * How a room reaches somebody in it, and how long it waits for them.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import type { EndReason } from "../connection/end_reason.ts";

/** Whoever takes what a room tells. */
export interface Consumer {
  /** Bytes that have still to be taken. */
  readonly waiting: number;
  /** Resolves when what was waiting has been taken. */
  caughtUp(): Promise<void>;
}

/** How a room reaches somebody in it. */
export interface Subscriber extends Consumer {
  /** Whether it takes nothing any more. */
  readonly isGone: boolean;
  /** Takes lines, each with its newline; never waits. */
  send(lines: Uint8Array): void;
  /** Sends the member away, with the reason. */
  disconnect(reason: EndReason): void;
}

/** Bytes that may wait for somebody before they are waited for. */
const HIGH_WATER_MARK = 64 * 1024;

/** The longest that somebody is waited for at a time, and in all until they have caught up, in milliseconds. */
const SLOW_CONSUMER_WAIT = { once: 50, all: 1_000 };

/** Waits for those who read: a flood goes at their pace. Those who don't cost a moment, and then nothing. */
export class SlowConsumerPolicy {
  /** How long each has been waited for in vain, in milliseconds. */
  readonly #spent = new WeakMap<Consumer, number>();

  /** Resolves when none of them has much left to take, or soon in any case. */
  async waitFor(takers: Iterable<Consumer>): Promise<void> {
    const behind = [...takers].filter((taker) => this.isBehind(taker));
    if (behind.length === 0) return;
    const caughtUp = Promise.all(behind.map((taker) => taker.caughtUp()));
    await deadline(caughtUp, SLOW_CONSUMER_WAIT.once).catch(() => {
      for (const taker of behind) {
        this.#spent.set(taker, (this.#spent.get(taker) ?? 0) + SLOW_CONSUMER_WAIT.once);
      }
    });
  }

  /** Whether somebody has much left to take, and is still worth waiting for. */
  isBehind(taker: Consumer): boolean {
    if (taker.waiting > HIGH_WATER_MARK) {
      return (this.#spent.get(taker) ?? 0) < SLOW_CONSUMER_WAIT.all;
    }
    this.#spent.delete(taker);
    return false;
  }
}
