// @ts-check
/** Rates as sparklines. */
import { html } from "./preact.js";

/** The number of samples in a sparkline. */
const LOOKS = 30;

const WIDTH = 90;
const HEIGHT = 22;

/** How long the rates of a connection are kept after its last sample, in milliseconds. */
const RATES_KEPT = 30_000;

/** The rates of the visible connections. */
export class Rates {
  /** @type {Map<number, { at: number, bytes: number, rates: number[] }>} */
  #seen = new Map();

  /** Adds a sample of a connection's byte counter. @param {number} id @param {number} bytes */
  note(id, bytes) {
    const at = performance.now();
    const before = this.#seen.get(id);
    if (!before) return void this.#seen.set(id, { at, bytes, rates: [] });
    if (at - before.at < 500) return;
    const rate = Math.max(0, bytes - before.bytes) / (at - before.at) * 1000;
    this.#seen.set(id, { at, bytes, rates: [...before.rates, rate].slice(-LOOKS) });
  }

  /** The rate of each sample in bytes per second. @param {number} id */
  of(id) {
    return this.#seen.get(id)?.rates ?? [];
  }

  /** Removes the connections that are no longer sampled. */
  sweep() {
    const now = performance.now();
    for (const [id, { at }] of this.#seen) if (now - at > RATES_KEPT) this.#seen.delete(id);
  }
}

/** @param {{ rates: readonly number[] }} props */
export function Sparkline({ rates }) {
  const most = Math.max(1, ...rates);
  const points = rates.map((rate, index) => {
    const x = WIDTH - (rates.length - 1 - index) * (WIDTH / (LOOKS - 1));
    return `${x.toFixed(1)},${(HEIGHT - 1 - rate / most * (HEIGHT - 3)).toFixed(1)}`;
  });
  return html`
    <svg class="sparkline" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} width=${WIDTH} height=${HEIGHT} aria-hidden="true">
      <polyline points=${points.join(" ")} />
    </svg>
  `;
}
